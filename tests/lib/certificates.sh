# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

# certificates DIR IP…: a CA (ca.pem), and one key pair (cert.pem, key.pem) for servers at these addresses and for
# clients.
certificates() {
  local dir=$1 names=DNS:localhost,IP:127.0.0.1 ip
  shift
  for ip; do names=$names,IP:$ip; done
  mkdir -p "$dir"
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout "$dir/ca-key.pem" -out "$dir/ca.pem" 2>/dev/null &&
    openssl req -newkey rsa:2048 -nodes -subj /CN=test -keyout "$dir/key.pem" -out "$dir/request.pem" 2>/dev/null &&
    openssl x509 -req -in "$dir/request.pem" -CA "$dir/ca.pem" -CAkey "$dir/ca-key.pem" -CAcreateserial -days 2 \
      -extfile <(echo "subjectAltName=$names"; echo "extendedKeyUsage=serverAuth,clientAuth") -out "$dir/cert.pem" 2>/dev/null
}
