// SPDX-License-Identifier: Apache-2.0
// dockerode: containers and their streams, events, networks, volumes.
'use strict';
const { PassThrough, Readable } = require('stream');
const zlib = require('zlib');
const { read, reads } = require('./checks');

const sleep = ['sleep', '3600'];

async function box(t, word, command = sleep, options = {}) {
  const made = await t.docker.createContainer({ Image: 'busybox', Cmd: command, name: t.name(word), ...options });
  t.later(() => made.remove({ force: true, v: true }));
  await made.start();
  return made;
}

// Both streams of what is framed.
async function demux(t, stream) {
  const out = new PassThrough();
  const err = new PassThrough();
  t.docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => { out.end(); err.end(); });
  return Promise.all([read(out), read(err)]);
}

async function life(t) {
  const made = await t.docker.createContainer({ Image: 'busybox', Cmd: sleep, name: t.name('life'), Labels: { of: t.prefix }, Tty: false });
  t.later(() => made.remove({ force: true }));
  t.ok('create', /^[0-9a-f]{64}$/.test(made.id), made.id);
  await made.start();
  await t.rejects('a second start', 304, 'container already started', made.start());
  const seen = await t.docker.getContainer(t.name('life')).inspect();
  t.equal('inspect by name', [seen.Id, seen.Name, seen.State.Running], [made.id, `/${t.name('life')}`, true]);
  if (t.pool) t.ok('inspect: its node', /^n[12t]$/.test(seen.Node.Name), seen.Node);
  t.equal('top', (await made.top({ ps_args: '-o pid,args' })).Processes.map((row) => row[1]), ['sleep 3600']);
  await made.pause();
  t.equal('pause', (await made.inspect()).State.Paused, true);
  await made.unpause();
  await made.update({ Memory: 64 << 20, MemorySwap: 128 << 20, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } });
  t.equal('update', (await made.inspect()).HostConfig.Memory, 64 << 20);
  await made.rename({ name: t.name('renamed') });
  t.equal('rename', (await made.inspect()).Name, `/${t.name('renamed')}`);
  await made.restart({ t: 0 });
  const exited = made.wait();
  await made.kill();
  t.equal('wait', (await exited).StatusCode, 137);
  await t.rejects('kill of a stopped one', 409, 'is not running', made.kill());
  await made.start();
  await t.rejects('remove of a running one', 409, 'running container', made.remove());
  await made.stop({ t: 0 });
  await t.rejects('a second stop', 304, 'container already stopped', made.stop());
  await made.remove();
  await t.rejects('remove', 404, 'no such container', made.inspect());
  await t.rejects('a container that is not there', 404, '', t.docker.getContainer(t.name('none')).start());
  await t.rejects('a create without an image', 400, '', t.docker.createContainer({ name: t.name('bare') }));
}

async function run(t) {
  const out = new PassThrough();
  const said = read(out);
  const [ended, made] = await t.docker.run('busybox', ['sh', '-c', 'echo said; exit 3'], out, { name: t.name('run'), Tty: false });
  t.later(() => made.remove({ force: true }));
  t.equal('run: its status', ended.StatusCode, 3);
  out.end();
  t.has('run: what it said', 'said\n', await said);
  const many = await Promise.all([...Array(10).keys()].map(async (n) => {
    const pass = new PassThrough();
    const text = read(pass);
    // Not AutoRemove: dockerode waits only after the start, when such a container may be gone.
    const [, one] = await t.docker.run('busybox', ['echo', `line ${n}`], pass, { Tty: true });
    pass.end();
    await one.remove();
    return text;
  }));
  t.equal('10 runs at once', many, [...Array(10).keys()].map((n) => `line ${n}\r\n`));
}

async function attach(t) {
  const command = ['sh', '-c', 'while read line; do echo got $line; echo err $line >&2; done; exit 6'];
  const made = await t.docker.createContainer({ Image: 'busybox', Cmd: command, name: t.name('attach'), OpenStdin: true, StdinOnce: true,
    AttachStdin: true, AttachStdout: true, AttachStderr: true });
  t.later(() => made.remove({ force: true }));
  const stream = await made.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
  const both = demux(t, stream);
  await made.start();
  stream.write('one\ntwo\n');
  stream.end(); // in this direction alone
  t.equal('attach: what is typed, and its end', await both, ['got one\ngot two\n', 'err one\nerr two\n']);
  t.equal('attach: its status', (await made.wait()).StatusCode, 6);
  const tty = await box(t, 'tty', ['sh'], { Tty: true, OpenStdin: true });
  const terminal = await tty.attach({ stream: true, hijack: true, stdin: true, stdout: true });
  await tty.resize({ h: 33, w: 101 });
  terminal.write('stty size; exit 4\n');
  t.has('attach to a terminal, and its size', '33 101', await reads(terminal, '33 101'));
  t.equal('attach to a terminal: its status', (await tty.wait()).StatusCode, 4);
}

async function exec(t) {
  const made = await box(t, 'exec');
  let run = await made.exec({ Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 3'], AttachStdout: true, AttachStderr: true });
  t.equal('exec: both streams', await demux(t, await run.start({})), ['out\n', 'err\n']);
  t.equal('exec: its status', (await run.inspect()).ExitCode, 3);
  run = await made.exec({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
  const stream = await run.start({ hijack: true, stdin: true });
  const both = demux(t, stream);
  const text = 'there and back\n'.repeat(20000);
  stream.end(text);
  t.equal('exec with input and its end', (await both)[0], text);
  run = await made.exec({ Cmd: ['sh'], AttachStdin: true, AttachStdout: true, Tty: true });
  const terminal = await run.start({ hijack: true, stdin: true, Tty: true });
  await run.resize({ h: 34, w: 102 });
  terminal.write('stty size; exit 5\n');
  t.has('exec on a terminal, and its size', '34 102', await reads(terminal, '34 102'));
  await t.until('exec on a terminal: its status', async () => (await run.inspect()).ExitCode === 5);
  run = await made.exec({ Cmd: ['touch', '/detached'] });
  await run.start({ Detach: true });
  await t.until('exec beside', async () => (await run.inspect()).ExitCode === 0);
  await t.rejects('an exec that is not there', 404, '', t.docker.getExec('f'.repeat(64)).inspect());
}

async function logs(t) {
  const made = await box(t, 'logs', ['sh', '-c', 'echo one; echo two >&2; until [ -e /go ]; do sleep 0.1; done; echo last; exec sleep 3600']);
  await t.until('logs', async () => (await made.logs({ stdout: true, stderr: true })).length >= 24);
  const stream = await made.logs({ stdout: true, stderr: true, follow: true });
  const both = demux(t, stream);
  const last = reads(stream, 'last');
  const run = await made.exec({ Cmd: ['touch', '/go'] });
  await run.start({ Detach: true });
  await last;
  await made.kill();
  t.equal('logs that follow', await both, ['one\nlast\n', 'two\n']);
  const tail = await made.logs({ stdout: true, tail: 1, timestamps: true });
  t.ok('logs of the end, with times', /20\d\d-.*Z last\n$/.test(tail.toString()), tail.toString());
  const endless = await box(t, 'endless', ['sh', '-c', 'while echo again; do sleep 0.1; done']);
  const closed = await endless.logs({ stdout: true, follow: true });
  await reads(closed, 'again');
  closed.destroy();
  t.ok('logs that are closed on this side', true);
}

async function stats(t) {
  const made = await box(t, 'stats');
  t.ok('stats', (await made.stats({ stream: false })).memory_stats.usage > 0);
  const stream = await made.stats({ stream: true });
  t.has('stats that go on', '"read"', await reads(stream, '"read"'));
  stream.destroy();
}

async function archives(t) {
  const made = await box(t, 'archives');
  const tar = await t.tar({ 'deep/er/file': 'content\n', big: 'x'.repeat(1 << 20) });
  await made.putArchive(tar, { path: '/tmp' });
  await made.putArchive(Readable.from([zlib.gzipSync(tar)]), { path: '/' });
  const files = await t.untar(await made.getArchive({ path: '/tmp' }));
  t.equal('archives, there and back', [files['tmp/deep/er/file'], files['tmp/big'].length], ['content\n', 1 << 20]);
  t.has('archives: what one is', 'x-docker-container-path-stat', Object.keys((await made.infoArchive({ path: '/big' })).headers));
  await t.rejects('an archive of what is not there', 404, '', made.getArchive({ path: '/nowhere' }));
  t.ok('export', (await t.untar(await made.export()))['deep/er/file'] === 'content\n');
  t.has('changes', '/deep', (await made.changes()).map((change) => change.Path));
  const image = await made.commit({ repo: t.name('committed'), tag: 'v1', comment: 'why' });
  t.later(() => t.docker.getImage(t.name('committed:v1')).remove({ force: true }));
  t.equal('commit', (await t.docker.getImage(image.Id).inspect()).Comment, 'why');
}

async function lists(t) {
  const label = `of=${t.name('lists')}`;
  const labels = { Labels: { of: t.name('lists') } };
  const first = await box(t, 'first', sleep, labels);
  const second = await box(t, 'second', ['true'], labels);
  await second.wait();
  const ids = async (options) => (await t.docker.listContainers(options)).map((entry) => entry.Id).sort();
  await t.until('list by status', async () => (await ids({ all: true, filters: { label: [label], status: ['exited'] } })).join() === second.id);
  t.equal('list', await ids({ filters: { label: [label] } }), [first.id]);
  t.equal('list of all', await ids({ all: true, filters: { label: [label] } }), [first.id, second.id].sort());
  t.equal('list by name', await ids({ filters: { name: [`^/${t.name('first')}$`] } }), [first.id]);
  t.equal('list by image and since', await ids({ all: true, filters: { label: [label], ancestor: ['busybox'], since: [first.id] } }), [second.id]);
  t.ok('list with sizes', (await t.docker.listContainers({ all: true, size: true, filters: { label: [label] } })).every((entry) => entry.SizeRootFs > 0));
  await t.rejects('list by a filter that there is not', 400, 'bogus', t.docker.listContainers({ filters: { bogus: ['1'] } }));
  t.equal('prune', (await t.docker.pruneContainers({ filters: { label: [label] } })).ContainersDeleted, [second.id]);
}

async function events(t) {
  const name = t.name('told');
  const stream = await t.docker.getEvents({ filters: { container: [name] } });
  const seen = [];
  stream.on('data', (part) => seen.push(...part.toString().trim().split('\n').map((line) => JSON.parse(line).Action)));
  const since = Date.now() / 1000 - 1;
  const made = await box(t, 'told', ['true']);
  await made.wait();
  await made.remove();
  await t.until('events as they come', () => seen.includes('destroy'));
  stream.destroy();
  t.equal('in order', seen, ['create', 'start', 'die', 'destroy']);
  const past = await t.docker.getEvents({ since, until: Date.now() / 1000, filters: { container: [name], event: ['die'] } });
  t.has('events of the past', '"exitCode":"0"', await read(past));
}

async function networks(t) {
  const made = await t.docker.createNetwork({ Name: t.name('net'), Labels: { of: t.name('net') } });
  t.later(() => made.remove());
  const seen = await made.inspect();
  t.equal('a network without a driver', [seen.Name, seen.Driver], [t.name('net'), 'bridge']);
  const options = { HostConfig: { NetworkMode: t.name('net') } };
  const first = await box(t, 'member', sleep, options);
  const second = await box(t, 'other', sleep, options);
  const ping = await first.exec({ Cmd: ['ping', '-c', '1', '-W', '5', t.name('other')], AttachStdout: true });
  t.has('its members know each other', '1 packets received', (await demux(t, await ping.start({})))[0]);
  t.equal('its containers', Object.keys((await made.inspect()).Containers).sort(), [first.id, second.id].sort());
  t.equal('list of networks', (await t.docker.listNetworks({ filters: { name: [t.name('net')] } })).map((n) => n.Name), [t.name('net')]);
  await made.disconnect({ Container: second.id });
  await made.connect({ Container: second.id, EndpointConfig: { Aliases: ['alias'] } });
  t.has('connect', 'alias', (await second.inspect()).NetworkSettings.Networks[t.name('net')].Aliases);
  await t.rejects('remove of a network in use', 403, 'active endpoints', made.remove());
  await Promise.all([first, second].map((one) => one.remove({ force: true })));
  const pruned = await t.docker.pruneNetworks({ filters: { label: [`of=${t.name('net')}`] } });
  t.equal('prune of networks', pruned.NetworksDeleted.map((n) => n.split('/').pop()), [t.name('net')]);
  await t.rejects('a network that is not there', 404, '', made.inspect());
}

async function volumes(t) {
  const label = { of: t.name('data') };
  const made = await t.docker.createVolume({ Name: t.name('data'), Labels: label });
  t.later(() => made.remove({ force: true }));
  t.equal('a volume', (await t.docker.getVolume(t.name('data')).inspect()).Labels, label);
  const using = await box(t, 'using', sleep, { HostConfig: { Binds: [`${t.name('data')}:/data`] } });
  await t.rejects('remove of a volume in use', 409, 'in use', made.remove());
  await using.remove({ force: true });
  t.equal('list of volumes', (await t.docker.listVolumes({ filters: { name: [t.name('data')] } })).Volumes.map((v) => v.Name), [t.name('data')]);
  // A path without a version is of the newest that the pool knows, in which named volumes are pruned on request alone.
  const all = t.pool ? { all: ['true'] } : {};
  const pruned = await t.docker.pruneVolumes({ filters: { label: [`of=${t.name('data')}`], ...all } });
  t.equal('prune of volumes', [...new Set(pruned.VolumesDeleted.map((v) => v.split('/').pop()))], [t.name('data')]);
  await t.rejects('a volume that is not there', 404, '', made.inspect());
}

module.exports = { all: [life, run, attach, exec, logs, stats, archives, lists, events, networks, volumes], few: [attach, exec, logs, archives] };
