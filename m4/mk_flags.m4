# SPDX-License-Identifier: ISC
#
# Probes for options of the compiler and the linker.  What they find goes
# into variables of our own, never into the user's CFLAGS or LDFLAGS.
# Warnings count as failures, or clang would "accept" what it only ignores.

# MK_CFLAG(VARIABLE, FLAG, [ACTION-IF-NOT])
# Appends FLAG to VARIABLE if the compiler takes it.
AC_DEFUN([MK_CFLAG], [dnl
AS_VAR_PUSHDEF([mk_cache], [mk_cv_cflag_$2])dnl
AC_CACHE_CHECK([whether $CC accepts $2], [mk_cache],
  [mk_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS -Werror $2"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
     [AS_VAR_SET([mk_cache], [yes])], [AS_VAR_SET([mk_cache], [no])])
   CFLAGS=$mk_save_CFLAGS])
AS_VAR_IF([mk_cache], [yes], [AS_VAR_APPEND([$1], [" $2"])], [$3])
AS_VAR_POPDEF([mk_cache])])

# MK_LDFLAG(VARIABLE, FLAG, [CFLAGS-FOR-THE-PROBE])
# Appends FLAG to VARIABLE if a program can be linked with it.
AC_DEFUN([MK_LDFLAG], [dnl
AS_VAR_PUSHDEF([mk_cache], [mk_cv_ldflag_$2])dnl
AC_CACHE_CHECK([whether $CC links with $2], [mk_cache],
  [mk_save_CFLAGS=$CFLAGS
   mk_save_LDFLAGS=$LDFLAGS
   CFLAGS="$CFLAGS $3 -Werror"
   LDFLAGS="$LDFLAGS $2"
   AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
     [AS_VAR_SET([mk_cache], [yes])], [AS_VAR_SET([mk_cache], [no])])
   CFLAGS=$mk_save_CFLAGS
   LDFLAGS=$mk_save_LDFLAGS])
AS_VAR_IF([mk_cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([mk_cache])])

# MK_FORTIFY(VARIABLE)
# The highest level of _FORTIFY_SOURCE that compiles without a warning; the
# C library warns where the user's CFLAGS do not optimise, so -O0 gets none.
AC_DEFUN([MK_FORTIFY], [dnl
AC_CACHE_CHECK([for the level of _FORTIFY_SOURCE], [mk_cv_fortify],
  [mk_cv_fortify=none
   mk_save_CFLAGS=$CFLAGS
   for mk_level in 3 2; do
     CFLAGS="$mk_save_CFLAGS -Werror -U_FORTIFY_SOURCE"
     AS_VAR_APPEND([CFLAGS], [" -D_FORTIFY_SOURCE=$mk_level"])
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>
#ifndef __OPTIMIZE__
#error no optimisation, no checks
#endif]], [[]])],
       [mk_cv_fortify=$mk_level
        break])
   done
   CFLAGS=$mk_save_CFLAGS])
AS_IF([test "$mk_cv_fortify" != none],
  [AS_VAR_APPEND([$1],
     [" -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$mk_cv_fortify"])])])
