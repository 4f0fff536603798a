#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A certificate authority for a trial: makes, in DIRECTORY, ca.pem and one pair for each name.
#
#   examples/tls.sh DIRECTORY NAME…
#
# NAME is what a server is called by: a host name or an IP address, several joined by commas ("manager,192.0.2.1").
# Pairs are for servers and clients alike: DIRECTORY/<first name>/{ca,cert,key}.pem, as DOCKER_CERT_PATH wants them.
# The authority is kept: a second run adds names. Days of validity: DAYS (30).
set -eu
[ $# -ge 2 ] || {
  sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
command -v openssl >/dev/null || {
  echo "tls.sh: openssl is needed" >&2
  exit 1
}
umask 077
directory=$1 days=${DAYS:-30}
shift
mkdir -p "$directory"
log=$directory/openssl.log
fail() {
  echo "tls.sh: $*:" >&2
  tail -n 5 "$log" >&2
  exit 1
}

[ -e "$directory/ca-key.pem" ] ||
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" -subj "/CN=swarm trial CA" \
    -keyout "$directory/ca-key.pem" -out "$directory/ca.pem" 2>"$log" || fail "openssl makes no authority"

# alternatives "host,192.0.2.1": "DNS:host,IP:192.0.2.1"
alternatives() {
  echo "$1" | tr , '\n' | while read -r one; do
    case $one in
    *:* | *[!0-9.]*) case $one in *:*) echo "IP:$one" ;; *) echo "DNS:$one" ;; esac ;;
    *) echo "IP:$one" ;;
    esac
  done | paste -sd ,
}

for names; do
  first=${names%%,*}
  pair=$directory/$first
  mkdir -p "$pair"
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$(alternatives "$names")" >"$pair/extensions"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$first" -keyout "$pair/key.pem" \
    -out "$pair/request.pem" 2>"$log" || fail "openssl makes no key for $first"
  openssl x509 -req -in "$pair/request.pem" -CA "$directory/ca.pem" -CAkey "$directory/ca-key.pem" -CAcreateserial \
    -days "$days" -extfile "$pair/extensions" -out "$pair/cert.pem" 2>"$log" || fail "openssl signs nothing for $first"
  cp "$directory/ca.pem" "$pair/ca.pem"
  rm -f "$pair/request.pem" "$pair/extensions"
  echo "$pair/{ca,cert,key}.pem"
done
rm -f "$log"
