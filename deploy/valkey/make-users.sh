#!/bin/sh
# Writes FOLDER/users.acl from the rights beside this script, and makes a password for every user that has none.
#
#   make-users.sh [--redis-7.0] FOLDER
#
# NAME.password holds a user's password. While NAME.password.old is there as well, both are good: that is how a password is
# changed while everything runs (README.md, "Changing passwords"). --redis-7.0: leave out what Redis before 7.2 does not know.
set -eu
umask 077

unknown='+none-such'
if [ "${1:-}" = --redis-7.0 ]; then
    unknown='+waitaof\|+client|setinfo'
    shift
fi
[ $# = 1 ] || { echo "usage: make-users.sh [--redis-7.0] FOLDER" >&2; exit 2; }
rights=$(dirname "$0")/users.acl
folder=$1

hashed() {
    printf '#%s' "$(tr -d '\n' <"$1" | sha256sum | cut -d' ' -f1)"
}

passwords_of() {
    password=$folder/$1.password
    [ -s "$password" ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$password"
    hashed "$password"
    [ ! -s "$password.old" ] || { printf ' '; hashed "$password.old"; }
}

set --
for user in $(sed -n 's/^user \([a-z]*\) .*-PASSWORDS.*/\1/p' "$rights"); do
    place=$(echo "$user" | tr a-z A-Z)-PASSWORDS
    set -- "$@" -e "s/$place/$(passwords_of "$user")/"
done
sed -e "s/ \($unknown\)//g" "$@" "$rights" >"$folder/users.acl.new"
if [ -e "$folder/users.acl" ]; then  # the engine goes on reading it
    chown --reference="$folder/users.acl" "$folder/users.acl.new"
    chmod --reference="$folder/users.acl" "$folder/users.acl.new"
fi
mv "$folder/users.acl.new" "$folder/users.acl"
