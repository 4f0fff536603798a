// SPDX-License-Identifier: Apache-2.0
// Testcontainers as test suites use it, against the pool or (--direct) against one engine; DOCKER_HOST says where.
// Ports are published on nodes: TESTCONTAINERS_HOST_OVERRIDE names the one that containers with ports are kept on.
//   node testcontainers.js [--node NAME] [--direct] [--on WHAT]
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const { parseArgs } = require('util');
const tar = require('tar-stream');
const { GenericContainer, Network, PullPolicy, Wait, getContainerRuntimeClient } = require('testcontainers');
const { Checks, read } = require('./checks');

const { values } = parseArgs({ options: { node: { type: 'string' }, direct: { type: 'boolean' }, on: { type: 'string', default: 'testcontainers' } } });
// "constraint:node==NAME" is a variable whose name ends before the second "=".
const kept = values.node ? { 'constraint:node': `=${values.node}` } : {};
const sleep = ['sleep', '3600'];
const www = [{ content: 'served\n', target: '/www/index.html' }];

function httpd() {
  return new GenericContainer('httpd').withEnvironment(kept).withCommand(['httpd', '-f', '-v', '-p', '8080', '-h', '/www'])
    .withCopyContentToContainer(www).withExposedPorts(8080);
}

async function fetched(started) {
  const answer = await fetch(`http://${started.getHost()}:${started.getMappedPort(8080)}/index.html`);
  return answer.text();
}

async function start(t, container) {
  const started = await container.start();
  t.later(() => started.stop());
  return started;
}

async function waits(t) {
  t.equal('wait for ports', await fetched(await start(t, httpd().withWaitStrategy(Wait.forListeningPorts()))), 'served\n');
  t.equal('wait for HTTP', await fetched(await start(t, httpd().withWaitStrategy(Wait.forHttp('/index.html', 8080).forStatusCode(200)))), 'served\n');
  const busybox = () => new GenericContainer('busybox');
  const talking = await start(t, busybox().withCommand(['sh', '-c', 'echo ready; exec sleep 3600']).withWaitStrategy(Wait.forLogMessage(/ready/)));
  t.ok('wait for a message', talking.getId());
  t.ok('wait for a command', (await start(t, busybox().withCommand(sleep).withWaitStrategy(Wait.forSuccessfulCommand('true')))).getId());
  const checked = busybox().withCommand(sleep).withHealthCheck({ test: ['CMD', 'true'], interval: 1000, retries: 3 }).withWaitStrategy(Wait.forHealthCheck());
  t.ok('wait for health', (await start(t, checked)).getId());
  t.ok('wait for the end', (await start(t, busybox().withCommand(['true']).withWaitStrategy(Wait.forOneShotStartup()))).getId());
  const late = busybox().withCommand(sleep).withWaitStrategy(Wait.forLogMessage('never')).withStartupTimeout(1000).start();
  await t.rejects('a wait that is in vain', null, 'not received after 1000ms', late);
}

async function life(t) {
  const said = [];
  const started = await start(t, new GenericContainer('busybox').withCommand(['sh', '-c', 'echo said; exec sleep 3600']).withName('tc-life')
    .withLabels({ of: 'life' }).withUser('0').withWorkingDir('/tmp').withTmpFs({ '/scratch': 'rw' }).withResourcesQuota({ memory: 0.0625, cpu: 0.5 })
    .withLogConsumer((stream) => stream.on('data', (line) => said.push(line.toString()))).withWaitStrategy(Wait.forSuccessfulCommand('true')));
  t.equal('its name', started.getName(), '/tc-life');
  t.equal('its labels', started.getLabels().of, 'life');
  const { output, stdout, exitCode } = await started.exec(['sh', '-c', 'echo out; echo err >&2; pwd; exit 3'], { env: { WORD: 'spoken' } });
  t.equal('exec', [stdout, exitCode, output.includes('err\n')], ['out\n/tmp\n', 3, true]);
  t.equal('exec with a user and an environment', (await started.exec(['sh', '-c', 'echo $WORD $(id -u)'], { env: { WORD: 'spoken' }, user: '7' })).output, 'spoken 7\n');
  await t.until('its log', () => said.join('').includes('said'));
  await started.restart({ timeout: 0 });
  t.equal('restart', (await started.exec('true')).exitCode, 0);
  const image = await started.commit({ repo: 'tc-committed', tag: 'v1', deleteOnExit: false });
  t.ok('commit', /^sha256:/.test(image), image);
  const client = await getContainerRuntimeClient();
  t.later(() => client.container.dockerode.getImage('tc-committed:v1').remove({ force: true }));
  await started.stop();
  await t.rejects('stop removes it', 404, '', client.container.getById(started.getId()).inspect());
  await t.rejects('an image that is not there', null, 'absent', new GenericContainer('127.0.0.1:5000/absent:1').start());
}

async function copies(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'copied'));
  fs.writeFileSync(path.join(folder, 'file'), 'from a file\n');
  const started = await start(t, new GenericContainer('busybox').withCommand(sleep)
    .withCopyFilesToContainer([{ source: path.join(folder, 'file'), target: '/one' }])
    .withCopyDirectoriesToContainer([{ source: folder, target: '/many' }])
    .withCopyContentToContainer([{ content: 'from a text\n', target: '/text' }]));
  t.equal('copied before the start', (await started.exec('cat /one /many/file /text'.split(' '))).output, 'from a file\nfrom a file\nfrom a text\n');
  await started.copyContentToContainer([{ content: 'later\n', target: '/later' }]);
  t.equal('copied later', (await started.exec(['cat', '/later'])).output, 'later\n');
  const extract = tar.extract();
  const text = new Promise((resolve) => extract.on('entry', (head, stream) => resolve(read(stream))));
  (await started.copyArchiveFromContainer('/later')).pipe(extract);
  t.equal('copied back', await text, 'later\n');
}

// A container with aliases is created first and then connected: both have to be told the node.
async function networks(t) {
  const network = await (values.node && t.pool ? new Network({ nextUuid: () => `${values.node}/tc-net` }) : new Network()).start();
  t.later(() => network.stop());
  const member = () => new GenericContainer('httpd').withEnvironment(kept).withNetwork(network);
  const server = await start(t, member().withNetworkAliases('server').withCopyContentToContainer(www).withCommand(['httpd', '-f', '-p', '8080', '-h', '/www']));
  const client = await start(t, member().withCommand(sleep));
  await t.until('one knows the other by its alias', async () => (await client.exec('wget -qO - http://server:8080/index.html'.split(' '))).output === 'served\n');
  t.has('its networks', network.getName().split('/').pop(), server.getNetworkNames());
  await Promise.all([client.stop(), server.stop()]);
  await network.stop();
  const { network: known } = await getContainerRuntimeClient();
  t.ok('stop removes the network', await known.getById(network.getId()).inspect().then(() => false, () => true));
}

async function builds(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'built'));
  fs.writeFileSync(path.join(folder, 'Dockerfile'), 'FROM busybox\nARG word=none\nCOPY content /content\nRUN echo "word is $word" >/word\nCMD ["sleep", "3600"]\n');
  fs.writeFileSync(path.join(folder, 'content'), 'from the context\n');
  for (const [word, builder] of [['classic', GenericContainer.fromDockerfile(folder)], ['BuildKit', GenericContainer.fromDockerfile(folder).withBuildkit()]]) {
    const image = await builder.withBuildArgs({ word }).build(`tc-${word.toLowerCase()}:v1`, { deleteOnExit: false });
    const started = await start(t, image);
    t.equal(`what was built runs, ${word}`, (await started.exec(['cat', '/word', '/content'])).output, `word is ${word}\nfrom the context\n`);
  }
  const built = await GenericContainer.fromDockerfile(folder).withBuildArgs({ ...kept, word: 'placed' }).build('tc-placed:v1', { deleteOnExit: false });
  const placed = await start(t, built.withEnvironment(kept).withCommand(['httpd', '-f', '-p', '8080', '-h', '/']).withCopyContentToContainer([{ content: 'built\n', target: '/index.html' }])
    .withExposedPorts(8080));
  t.equal('a port of what was built', await fetched(placed), 'built\n');
  const client = await getContainerRuntimeClient();
  for (const word of ['classic', 'buildkit', 'placed']) t.later(() => client.container.dockerode.getImage(`tc-${word}:v1`).remove({ force: true }));
}

async function reuse(t) {
  const make = () => httpd().withName('tc-reused').withReuse().start();
  const first = await make();
  t.later(() => first.stop());
  const second = await make();
  t.equal('reuse', second.getId(), first.getId());
  t.equal('what is reused serves', await fetched(second), 'served\n');
  const policy = await start(t, new GenericContainer('127.0.0.1:5000/tc/box:v1').withCommand(sleep).withPullPolicy(PullPolicy.alwaysPull()));
  t.equal('what is pulled each time', (await policy.exec('true')).exitCode, 0);
}

async function parallel(t) {
  const started = await Promise.all([...Array(8).keys()].map(() => httpd().start()));
  t.equal('8 at once', await Promise.all(started.map(fetched)), Array(8).fill('served\n'));
  await Promise.all(started.map((one) => one.stop()));
}

async function main() {
  const t = new Checks(values.on, { pool: !values.direct });
  for (const group of [waits, life, copies, networks, builds, reuse, parallel]) await t.run(group);
  console.log('end');
  process.exit(0); // connections that are kept alive
}

main();
