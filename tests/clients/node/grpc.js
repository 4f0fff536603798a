// SPDX-License-Identifier: Apache-2.0
// BuildKit's own API by gRPC over POST /grpc, as buildx talks to an engine: who one's client is decides the engine.
'use strict';
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');
const Docker = require('dockerode');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { context, progress } = require('./images');

const { Control } = grpc.loadPackageDefinition(loader.loadSync(path.join(__dirname, 'control.proto'), { keepCase: true, arrays: true })).moby.buildkit.v1;

// Becomes HTTP/2 by an upgrade, from an address of this machine; the raw connection.
function upgraded(host, from) {
  return new Promise((resolve, reject) => {
    const [hostname, port] = host.replace('tcp://', '').split(':');
    const request = http.request({ hostname, port, localAddress: from, method: 'POST', path: '/grpc', headers: { Connection: 'Upgrade', Upgrade: 'h2c' } });
    request.on('upgrade', (answer, socket, head) => { if (head.length) socket.unshift(head); resolve(socket); });
    request.on('response', (answer) => reject(new Error(`status ${answer.statusCode}`)));
    request.on('error', reject);
    request.end();
  });
}

// A client of BuildKit behind a socket of our own, whose every connection is one of `upgraded`.
async function control(t, host, from) {
  const socket = path.join(os.tmpdir(), `grpc-${t.prefix}-${Math.random().toString(36).slice(2)}`);
  const server = net.createServer(async (near) => {
    const far = await upgraded(host, from).catch((error) => { near.destroy(error); });
    if (!far) return;
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise((resolve) => server.listen(socket, resolve));
  const client = new Control(`unix:${socket}`, grpc.credentials.createInsecure());
  const call = (method, request) => new Promise((resolve, reject) => {
    client[method](request, { deadline: Date.now() + 60000 }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
  t.later(() => { client.close(); server.close(); });
  return { call, client };
}

// The records of a build cache: what tells one engine from another.
async function cache(t, host, from) {
  return (await (await control(t, host, from)).call('DiskUsage', {})).record.map((one) => one.ID);
}

const docker_of = (host) => new Docker({ host: new URL(host).hostname, port: new URL(host).port });

// Each engine gets a record of its own by a build: a function from a cache to its engine.
async function engine_finder(t) {
  const own = new Map();
  for (const host of t.engines) {
    const before = await cache(t, host);
    const files = context(t, { Dockerfile: `FROM busybox\nRUN echo ${Math.random()} >/number\n` });
    await progress(t, await docker_of(host).buildImage(files, { version: '2' }));
    own.set((await cache(t, host)).find((id) => !before.includes(id)), host);
  }
  return (records) => own.get(records.find((id) => own.has(id)));
}

async function calls(t) {
  const { call, client } = await control(t, t.host);
  const { record } = await call('ListWorkers', {});
  t.equal('ListWorkers', [record.length, record[0].platforms[0].OS], [1, 'linux']);
  t.ok('DiskUsage', Array.isArray((await call('DiskUsage', {})).record));
  const pruned = await new Promise((resolve, reject) => {
    const records = [];
    client.Prune({ filter: ['id==none'] }).on('data', (one) => records.push(one)).on('end', () => resolve(records)).on('error', reject);
  });
  t.equal('Prune, an answer of many messages', pruned, []);
  const error = await call('Solve', { Ref: 'none', Frontend: 'none' }).catch((refused) => refused);
  t.ok('the engine refuses in words of gRPC', error.code !== undefined && error.code !== grpc.status.UNAVAILABLE, error);
  const many = await Promise.all([...Array(20).keys()].map(() => call('ListWorkers', {})));
  t.equal('20 calls at once', new Set(many.map((one) => one.record[0].ID)).size, 1);
}

// Its build's image is where its gRPC calls go.
async function places(t) {
  const engine_of = await engine_finder(t);
  const seen = new Set();
  for (let n = 1; n <= 5; n++) {
    const from = `10.9.0.${n}`;
    const first = engine_of(await cache(t, t.host, from));
    seen.add(first);
    t.equal(`client ${n}: a second connection goes to the same engine`, engine_of(await cache(t, t.host, from)), first);
    const docker = new Docker({ ...t.options, agent: new http.Agent({ localAddress: from }) });
    const tag = t.name(`place${n}`);
    const files = context(t, { Dockerfile: `FROM busybox\nRUN echo ${n} >/number\n` });
    await progress(t, await docker.buildImage(files, { t: tag, version: '2' }));
    t.later(() => docker.getImage(tag).remove({ force: true }));
    t.ok(`client ${n}: its session's build is on that engine`, await docker_of(first).getImage(tag).inspect().then(() => true, () => false));
  }
  t.equal('several clients: all engines', seen.size, t.engines.length);
}

module.exports = { all: [calls], pool: [places] };
