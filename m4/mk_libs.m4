# SPDX-License-Identifier: ISC

# MK_NEED(VARIABLE, NAME-FOR-PEOPLE, PKG-CONFIG-MODULES)
# A library without which there is no meshkeys.
AC_DEFUN([MK_NEED], [dnl
PKG_CHECK_MODULES([$1], [$3], [],
  [AC_MSG_ERROR([$2 is missing; run: contrib/install-deps])])])

# MK_RSA_PROGRAM
# Uses one symbol of each of hogweed, nettle and gmp.
AC_DEFUN([MK_RSA_PROGRAM], [AC_LANG_PROGRAM(
  [[#include <gmp.h>
#include <nettle/rsa.h>
#include <nettle/sha2.h>]],
  [[struct rsa_public_key key;
struct sha512_ctx hash;
mpz_t s;

rsa_public_key_init(&key);
sha512_init(&hash);
mpz_init(s);
return rsa_sha512_verify(&key, &hash, s);]])])

# MK_RSA_LINK(LIBS, ACTION-IF-LINKED, ACTION-IF-NOT)
AC_DEFUN([MK_RSA_LINK], [dnl
mk_save_CFLAGS=$CFLAGS
mk_save_LDFLAGS=$LDFLAGS
mk_save_LIBS=$LIBS
CFLAGS="$CFLAGS $HARDEN_CFLAGS $SAN_CFLAGS $RSA_CFLAGS"
LDFLAGS="$LDFLAGS $HARDEN_LDFLAGS $SAN_LDFLAGS"
LIBS="$1 $LIBS"
AC_LINK_IFELSE([MK_RSA_PROGRAM], [mk_linked=yes], [mk_linked=no])
CFLAGS=$mk_save_CFLAGS
LDFLAGS=$mk_save_LDFLAGS
LIBS=$mk_save_LIBS
AS_IF([test $mk_linked = yes], [$2], [$3])])

# MK_RSA
# nettle, hogweed and gmp.  The login helper is started several times for
# each login and needs RSA for old profiles only: linked statically they
# cost it 10 microseconds, as shared objects 280.
AC_DEFUN([MK_RSA], [dnl
AC_ARG_WITH([static-rsa],
  [AS_HELP_STRING([--with-static-rsa@<:@=yes|no|auto@:>@],
    [link nettle, hogweed and gmp statically @<:@auto@:>@])],
  [], [with_static_rsa=auto])
AS_CASE([$with_static_rsa], [yes | no | auto], [],
  [AC_MSG_ERROR([--with-static-rsa takes yes, no or auto])])
MK_NEED([RSA], [nettle (with hogweed)], [hogweed nettle >= 3.4])
AC_CHECK_HEADER([gmp.h], [],
  [AC_MSG_ERROR([gmp is missing; run: contrib/install-deps])])
mk_static_rsa=no
AS_IF([test "$with_static_rsa" != no],
  [AC_MSG_CHECKING([whether hogweed, nettle and gmp link statically])
   mk_static_libs="-Wl,-Bstatic -lhogweed -lnettle -lgmp -Wl,-Bdynamic"
   MK_RSA_LINK([$mk_static_libs],
     [mk_static_rsa=yes
      RSA_LIBS=$mk_static_libs])
   AC_MSG_RESULT([$mk_static_rsa])])
AS_IF([test "$with_static_rsa:$mk_static_rsa" = yes:no],
  [AC_MSG_ERROR(
     [no static hogweed, nettle and gmp; configure --with-static-rsa=no])])
AS_IF([test $mk_static_rsa = no],
  [RSA_LIBS="$RSA_LIBS -lgmp"
   MK_RSA_LINK([$RSA_LIBS], [], [AC_MSG_ERROR(
     [gmp does not link with hogweed; run: contrib/install-deps])])])
AC_SUBST([RSA_LIBS])
AC_SUBST([MK_STATIC_RSA], [$mk_static_rsa])])
