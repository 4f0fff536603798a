#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who gets in with --tlsverify, which engines are used, and certificates that are read again on SIGHUP while streams go on.
# The certificates are those of examples/tls.sh.
# shellcheck source-path=SCRIPTDIR source=../lib/testbed.sh
. "$(dirname "$0")/../lib/testbed.sh"
testbed_enter "$@"
tls=$testbed_lib/../../examples/tls.sh
HTTPS=https://10.9.0.1:3375 C=$WORK/c

check "a CA and pairs are made" "$tls" "$C" 10.9.0.1 10.9.0.2 client 10.9.0.4
check "of another CA" "$tls" "$WORK/other" client 10.9.0.1 10.9.0.4
check "without names the usage is told" eval '! "$tls" "$C"'
check "one that has expired" env DAYS=0 "$tls" "$C" late,10.9.0.4
pair() { echo --cacert "$C/ca.pem" --cert "$1/cert.pem" --key "$1/key.pem"; }
# What curl says of GET /_ping with these options.
ping() { curl -sS -m 10 -o "$WORK/ping" -w '%{http_code}' "$@" "$HTTPS/_ping" 2>&1; }
logged() { grep -c "$1" "$WORK/manager.log"; }
# kept_out WHAT REASON [curl options…]: no answer, and a line in the log that gives the reason
kept_out() {
  local what=$1 reason=$2 before
  shift 2
  before=$(logged "TLS handshake failed: .*$reason")
  run ping "$@"
  if [ "${OUT: -3}" = 200 ]; then no "$what is kept out ($OUT)"; else ok "$what is kept out"; fi
  waits "$what: the log says why" 20 eval '[ "$(logged "TLS handshake failed: .*$reason")" -gt "$before" ]'
}

ENGINE_TLS=$C/10.9.0.2 engine n1 2
bad_engine() { # NAME PORT PAIR [options…]
  local name=$1 port=$2 pair=$3
  shift 3
  background "$name" openssl s_server -accept "10.9.0.4:$port" -cert "$pair/cert.pem" -key "$pair/key.pem" -www "$@"
}
bad_engine stranger 2301 "$WORK/other/10.9.0.4"
bad_engine expired 2302 "$C/late"
bad_engine old 2303 "$C/10.9.0.4" -tls1_1 -cipher DEFAULT@SECLEVEL=0
background plain "$BIN/swarm" manage -H tcp://10.9.0.1:3376 nodes://10.9.0.2:2375
until_ok 30 curl -sf -m 2 http://10.9.0.1:3376/_ping
background forward socat TCP-LISTEN:2376,bind=10.9.0.3,fork,reuseaddr TCP:10.9.0.2:2375 # not in its certificate
background manager "$BIN/swarm" manage -H tcp://10.9.0.1:3375 --tlsverify --tlscacert "$C/10.9.0.1/ca.pem" \
  --tlscert "$C/10.9.0.1/cert.pem" --tlskey "$C/10.9.0.1/key.pem" "nodes://10.9.0.2:2375,10.9.0.3:2376,10.9.0.4:230[1:3],10.9.0.1:3376"
# Of another CA than the engine's.
background foreign "$BIN/swarm" manage -H tcp://10.9.0.1:3377 --tlsverify --tlscacert "$C/ca.pem" \
  --tlscert "$WORK/other/client/cert.pem" --tlskey "$WORK/other/client/key.pem" nodes://10.9.0.2:2375
# shellcheck disable=SC2046
waits "a client of the CA gets in" 60 eval '[ "$(ping $(pair "$C/client"))" = 200 ]'
export DOCKER_HOST=tcp://10.9.0.1:3375 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$C/client
waits "DOCKER_TLS_VERIFY and DOCKER_CERT_PATH" 60 docker run --rm busybox true
head -c 50000000 /dev/urandom >"$WORK/input"
equal "50 MB through run -i" "$(docker run -i --rm busybox cat <"$WORK/input" | md5sum)" "$(md5sum <"$WORK/input")"
run docker info
has "an engine whose certificate has another name is not used" 'Error: .*(certificate|SSL)'

# not_used WHAT MANAGER ADDRESS REASON: an engine is not taken, and a line in the log gives the reason.
not_used() {
  waits "$1: not used, and the log says why" 60 grep -Eq "level=warning msg=\"Failed to validate pending node: .*$4.*Addr=\"?$3" "$WORK/$2.log" ||
    grep "$3" "$WORK/$2.log"
}
not_used "an engine whose certificate has another name" manager 10.9.0.3:2376 'name matches target host name'
not_used "an engine of another CA" manager 10.9.0.4:2301 'unable to get local issuer certificate'
not_used "an engine whose certificate has expired" manager 10.9.0.4:2302 'certificate has expired'
not_used "an engine of TLS 1.1" manager 10.9.0.4:2303 'protocol version'
not_used "an engine without TLS" manager 10.9.0.1:3376 'wrong version number'
not_used "an engine that does not know the manager's CA" foreign 10.9.0.2:2375 '(alert unknown ca|ended after the TLS handshake)'
not_used "an engine with TLS, asked without" plain 10.9.0.2:2375 'Client sent an HTTP request to an HTTPS server'
run docker info
has "none of them is in the pool" '^ Nodes: 6$'
equal "but the good one" "$(grep -c 'Status: Healthy' <<<"$OUT")" 1

kept_out "a client without a certificate" "peer did not return a certificate" --cacert "$C/ca.pem"
# shellcheck disable=SC2046
kept_out "a client of another CA" "unable to get local issuer certificate" --cacert "$C/ca.pem" --cert "$WORK/other/client/cert.pem" --key "$WORK/other/client/key.pem"
# shellcheck disable=SC2046
kept_out "a client with an expired certificate" "certificate has expired" $(pair "$C/late")
# shellcheck disable=SC2046
kept_out "TLS 1.1" "protocol" --tls-max 1.1 --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0 $(pair "$C/client")
run curl -sS -m 10 http://10.9.0.1:3375/_ping
if [ "$STATUS" = 0 ]; then no "HTTP in the clear is kept out ($OUT)"; else ok "HTTP in the clear is kept out"; fi
waits "and logged" 20 eval '[ "$(logged "TLS handshake failed: .*http request")" -ge 1 ]'
run curl -sS -m 10 --cacert "$WORK/other/ca.pem" --cert "$C/client/cert.pem" --key "$C/client/key.pem" $HTTPS/_ping
has "a client with another CA is told so" 'certificate'
run curl -sS -m 10 --cacert "$C/ca.pem" https://10.9.0.1:3376/_ping
if [ "$STATUS" = 0 ]; then no "TLS to a plain port fails ($OUT)"; else ok "TLS to a plain port fails"; fi
waits "and is logged" 20 grep -q 'TLS handshake failed: this address serves HTTP without TLS.*peer=' "$WORK/plain.log"
check "and the port goes on" curl -sf -m 10 http://10.9.0.1:3376/_ping

# A stream across the reading.
docker run -d --name stream busybox sh -c 'while [ ! -e /go ]; do sleep 0.1; done; echo after' >"$WORK/stream.id"
background follow docker logs -f stream
waits "a stream is open" 30 eval '[ "$(curl -s $(pair "$C/client") $HTTPS/containers/stream/json | jq .State.Running)" = true ]'
served() { openssl s_client -connect 10.9.0.1:3375 </dev/null 2>/dev/null | openssl x509 -noout -serial; }
before=$(served)
cp -r "$C" "$WORK/new"
check "a new pair of the same CA" "$tls" "$WORK/new" 10.9.0.1
cp "$WORK/new/10.9.0.1/cert.pem" "$C/10.9.0.1/cert.pem"
kill -HUP "$(cat "$WORK/manager.pid")"
waits "a pair that does not match is told" 20 grep -q 'level=error.*SIGHUP: the certificates stay as they were: .*mismatch' "$WORK/manager.log"
equal "and what was there stays" "$(served)" "$before"
cp "$WORK/new/10.9.0.1/key.pem" "$C/10.9.0.1/key.pem"
kill -HUP "$(cat "$WORK/manager.pid")"
waits "a whole pair is taken" 20 grep -q 'SIGHUP: the certificates were read again' "$WORK/manager.log"
equal "and served" "$(served)" "$(openssl x509 -noout -serial -in "$WORK/new/10.9.0.1/cert.pem")"
# shellcheck disable=SC2046
equal "clients get in" "$(ping $(pair "$C/client"))" 200
check "the stream from before is still there" kill -0 "$(cat "$WORK/follow.pid")"
check "and its container can be stopped" docker stop -t 0 stream
waits "the stream from before ends as it should" 30 eval '! kill -0 "$(cat "$WORK/follow.pid")" 2>/dev/null'
ends manager
equal "the manager stops" $? 0
ends plain
equal "the other, too" $? 0
ends foreign
equal "and the third" $? 0
no_sanitizer_report
checks_end
