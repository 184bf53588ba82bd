#!/bin/sh
# The SELinux module builds, hands the helper of sshd over to a domain that
# has no network and writes nothing, and labels the files where they are.
set -eu

# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
devel=/usr/share/selinux/devel/Makefile
hll=/usr/libexec/selinux/hll/pp
parts=$srcdir/contrib/selinux
helper=meshkeys_akc_t
libexec=${MK_LIBEXECDIR:-/usr/libexec/meshkeys}
conf=${MK_CONFDIR:-/etc/meshkeys}
cache=${MK_CACHEDIR:-/var/cache/meshkeys}
state=${MK_STATEDIR:-/var/lib/meshkeys}

for tool in make m4 checkmodule semodule_package; do
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "1..0 # SKIP $tool is missing; run: contrib/install-deps"
		exit 0
	fi
done
if [ ! -f "$devel" ]; then
	echo "1..0 # SKIP no SELinux policy to build with;" \
	    "run: contrib/install-deps"
	exit 0
fi
[ -x "$hll" ] || hll=/usr/lib/selinux/hll/pp

fc=$builddir/contrib/selinux/meshkeys.fc
mkdir "$scratch/module"
cp "$parts/meshkeys.te" "$parts/meshkeys.if" "$scratch/module"
if [ -f "$fc" ]; then
	cp "$fc" "$scratch/module"
else
	sed "s|@libexecdir@/meshkeys|$libexec|; s|@sysconfdir@/meshkeys|$conf|
	    s|@localstatedir@/cache/meshkeys|$cache|
	    s|@localstatedir@/lib/meshkeys|$state|" "$parts/meshkeys.fc.in" \
	    >"$scratch/module/meshkeys.fc"
fi
grep -n '@[a-z]*@' "$scratch/module/meshkeys.fc" >"$complaints" || :
verdict "nothing is left to fill in"

# The makefile is another one's, and takes no orders from ours.
(
	unset MAKEFLAGS MFLAGS MAKELEVEL
	cd "$scratch/module" && make -f "$devel" meshkeys.pp
) >"$scratch/make" 2>&1 || cat "$scratch/make" >"$complaints"
grep -iE 'warning|error' "$scratch/make" >>"$complaints" || :
[ -s "$scratch/module/meshkeys.pp" ] ||
    echo "no meshkeys.pp" >>"$complaints"
verdict "the module builds"

if [ ! -x "$hll" ] || [ ! -s "$scratch/module/meshkeys.pp" ]; then
	skip "what the module says" "nothing to read it with"
	finish
	exit
fi
cil=$scratch/cil
"$hll" "$scratch/module/meshkeys.pp" >"$cil" 2>"$complaints" || :
[ "$(grep -c "^ *(allow $helper " "$cil")" -ge 20 ] ||
    echo "hardly any rule for $helper" >>"$complaints"
verdict "the module can be read"

# What the helper's domain is allowed, at any depth of optional and boolean
# blocks, by its own name or an attribute that it has.
attributes=$(sed -n "s/^ *(typeattributeset \([a-z_]*\) (.*$helper .*/\1/p" \
    "$cil" | sort -u)
[ "$attributes" = domain ] ||
    echo "$helper has attributes:" $attributes >"$complaints"
verdict "the helper's domain is a domain and nothing else"

grep -E "^ *\(allow $helper " "$cil" >"$scratch/rules"
sed 's/^ *//' "$scratch/rules" | grep -E '_socket \(' |
    grep -vE '\((unix_dgram_socket|unix_stream_socket) \(' \
    >"$complaints" || :
grep -E 'name_(connect|bind)|node_bind|netif|_port_t|\(capability2? ' \
    "$scratch/rules" >>"$complaints" || :
verdict "the helper has no network, and no capability"

writing='write|append|create|unlink|setattr|add_name|relabelto'
grep -E "\((file|dir|lnk_file) \(([a-z_]* )*($writing)[ )]" \
    "$scratch/rules" >"$complaints" || :
verdict "the helper writes no file"

for class in tcp udp rawip packet sctp icmp netlink netlink_route; do
	grep -Fq "(neverallow $helper self (${class}_socket (create)))" \
	    "$cil" || echo "$class sockets are not ruled out"
done >"$complaints"
verdict "whoever adds a network later is told"

{
	grep -Fqx "(boolean meshkeys_run_chain true)" "$cil" ||
	    echo "the command of chain cannot run"
	grep -E "^ *\(allow $helper (bin_t|exec_type) \(file " "$cil" |
	    grep -q execute_no_trans || echo "not in the helper's domain"
} >"$complaints"
verdict "a chain is not cut off by loading it"

for sshd in sshd_t sshd_session_t; do
	grep -Fq "(typetransition $sshd meshkeys_akc_exec_t process $helper)" \
	    "$cil" || echo "no transition from $sshd"
	grep -Eq "^\(typetransition $sshd " "$cil" &&
	    echo "$sshd is taken for granted"
done >"$complaints"
verdict "sshd starts the helper, and sshd-session where there is one"

for rule in "meshkeys_refresh_t http_port_t (tcp_socket (name_connect))" \
    "init_t meshkeys_refresh_t (process2 (nnp_transition"; do
	grep -Fq "(allow $rule" "$cil" || echo "no rule $rule"
done >"$complaints"
grep -Eq '^ *\(typeattributeset nsswitch_domain .*meshkeys_refresh_t' "$cil" ||
    echo "names are not looked up" >>"$complaints"
for type in meshkeys_cache_t meshkeys_var_lib_t; do
	rule="\(allow meshkeys_refresh_t $type \(file \("
	grep -Eq "$rule.* create .* rename " "$cil" ||
	    echo "$type cannot be written" >>"$complaints"
done
if grep -Eq '\(allow meshkeys_refresh_t meshkeys_etc_t .* (write|create)' "$cil"
then
	echo "the map can be written" >>"$complaints"
fi
verdict "mesh-refresh asks portals and writes the two directories"

# labels PATH TYPE
labels() {
	grep -Fq "(filecon \"$1" "$cil" &&
	    grep -F "(filecon \"$1" "$cil" |
	    grep -Fq "(system_u object_r $2 " || echo "'$1' is no $2"
}
{
	labels "$conf(/.*)?\" any" meshkeys_etc_t
	labels "$libexec/mesh-authorized-keys\" file" meshkeys_akc_exec_t
	labels "$libexec/mesh-refresh\" file" meshkeys_refresh_exec_t
	labels "$cache(/.*)?\" any" meshkeys_cache_t
	labels "$state(/.*)?\" any" meshkeys_var_lib_t
} >"$complaints"
verdict "programs, configuration, cache and memory have their labels"

for type in "etc_t dir \"meshkeys\" meshkeys_etc_t" \
    "var_t dir \"meshkeys\" meshkeys_cache_t" \
    "var_lib_t dir \"meshkeys\" meshkeys_var_lib_t"; do
	grep -Fq "(typetransition unconfined_t $type)" "$cil" ||
	    echo "no transition: $type"
done >"$complaints"
verdict "directories have them from the moment they are made"
finish
