#!/bin/sh
# Makes what compose.yaml wants in the folder `secrets` beside this file, where it is not there yet: users of the store and its
# URL, the secret of client tokens, a password for Grafana, a certificate that nobody else trusts.
#
#   deploy/prepare.sh
#
# `secrets/vendor.pem` must be the public key of the vendor whose license keys are accepted: put it there first.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$here/secrets
# Nobody else comes into the folder; in it, containers may read what they are given, whatever user they run as.
mkdir -p -m 700 "$folder"
[ -s "$folder/vendor.pem" ] || { echo "prepare.sh: put the vendor's public key into $folder/vendor.pem" >&2; exit 1; }

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

"$here/valkey/make-users.sh" "$folder"
printf 'redis://seatd:%s@valkey:6379' "$(cat "$folder/seatd.password")" >"$folder/store.url.new"
mv -f "$folder/store.url.new" "$folder/store.url"
[ -s "$folder/tokens.secret" ] || random >"$folder/tokens.secret"
[ -s "$folder/grafana.password" ] || random >"$folder/grafana.password"
if [ ! -s "$folder/seatd.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
    cat "$folder/tls.crt" "$folder/tls.key" >"$folder/seatd.pem"
fi
chmod 444 "$folder"/*
echo "prepare.sh: $folder is complete"
