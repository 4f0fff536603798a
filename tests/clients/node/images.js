// SPDX-License-Identifier: Apache-2.0
// dockerode: builds of both builders, the registry, archives of images.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const { read } = require('./checks');

const registry = '127.0.0.1:5000';

function context(t, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'context'));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  return { context: folder, src: Object.keys(files) };
}

// What a stream of progress said, until its end; what BuildKit said as dockerode makes text of it.
function progress(t, stream) {
  return new Promise((resolve, reject) => t.docker.followProgress(stream, (error, said) => (error ? reject(error) : resolve(said))));
}

async function says(t, image, ...command) {
  const made = await t.docker.createContainer({ Image: image, Tty: true, ...(command.length ? { Cmd: command } : {}) });
  t.later(() => made.remove({ force: true }));
  await made.start();
  await made.wait();
  return (await made.logs({ stdout: true })).toString();
}

const forget = (t, name) => t.later(() => t.docker.getImage(name).remove({ force: true }));
const dockerfile = 'FROM busybox\nARG word=none\nCOPY content /content\nRUN echo "word is $word" >/word; echo step is done\nCMD ["cat", "/word", "/content"]\n';

async function classic(t) {
  const tag = t.name('classic:v1');
  forget(t, tag);
  const files = context(t, { Dockerfile: dockerfile, content: 'from the context\n' });
  const options = { t: tag, buildargs: { word: 'spoken' }, labels: { of: t.prefix } };
  const said = await progress(t, await t.docker.buildImage(files, options));
  t.has('build: what it said', 'step is done', said.map((line) => line.stream || '').join(''));
  const image = await t.docker.getImage(tag).inspect();
  t.equal('build: the id among it', said.filter((line) => line.aux).map((line) => line.aux.ID), [image.Id]);
  t.equal('build: labels', image.Config.Labels, { of: t.prefix });
  t.equal('build: it runs', await says(t, tag), 'word is spoken\r\nfrom the context\r\n');
  const failed = await t.docker.buildImage(context(t, { Dockerfile: 'FROM busybox\nRUN exit 7\n' }), { t: tag });
  t.has('build: a step that fails', 'returned a non-zero code: 7', (await progress(t, failed)).pop().error);
}

// The client serves a gRPC session, the engine calls it: credentials are asked for that way.
async function buildkit(t) {
  const tag = t.name('kit:v1');
  forget(t, tag);
  const files = context(t, { Dockerfile: dockerfile, content: 'from the context\n' });
  const said = await progress(t, await t.docker.buildImage(files, { t: tag, version: '2', buildargs: { word: 'spoken' } }));
  t.ok('BuildKit: its steps are told', said.some((line) => line.stream.includes('[3/3] RUN echo')), said);
  const image = await t.docker.getImage(tag).inspect();
  t.has('BuildKit: the id among it', `Built image: ${image.Id}\n`, said.map((line) => line.stream));
  t.equal('BuildKit: it runs', await says(t, tag), 'word is spoken\r\nfrom the context\r\n');
  const failed = await t.docker.buildImage(context(t, { Dockerfile: 'FROM busybox\nRUN exit 7\n' }), { t: tag, version: '2' });
  t.has('BuildKit: a step that fails', 'exit code: 7', (await progress(t, failed)).pop().error);
  const several = [...Array(4).keys()].map(async (n) => {
    const name = t.name(`kit:p${n}`);
    forget(t, name);
    const one = context(t, { Dockerfile: `FROM busybox\nRUN echo number ${n} >/number\nCMD ["cat", "/number"]\n` });
    await progress(t, await t.docker.buildImage(one, { t: name, version: '2' }));
    return says(t, name);
  });
  t.equal('BuildKit: 4 builds at once', await Promise.all(several), [0, 1, 2, 3].map((n) => `number ${n}\r\n`));
}

// Only with credentials that the session brings.
async function credentials(t) {
  const tag = `${registry}/${t.name('base')}`;
  forget(t, `${tag}:v1`);
  await t.docker.getImage('busybox').tag({ repo: tag, tag: 'v1' });
  await progress(t, await t.docker.getImage(`${tag}:v1`).push({ authconfig: { username: 'u', password: 'p', serveraddress: registry } }));
  const files = context(t, { Dockerfile: `FROM ${tag}:v1\nRUN true\n` });
  forget(t, t.name('derived'));
  await progress(t, await t.docker.buildImage(files, { t: t.name('derived'), version: '2', authconfig: { username: 'u', password: 'p', serveraddress: registry } }));
  t.ok('BuildKit: build from what is in the registry', (await t.docker.getImage(t.name('derived')).inspect()).Id);
}

async function moves(t) {
  const tag = `${registry}/${t.name('box')}`;
  forget(t, `${tag}:v1`);
  const box = await t.docker.getImage('busybox').inspect();
  await t.docker.getImage('busybox').tag({ repo: tag, tag: 'v1' });
  let said = await progress(t, await t.docker.getImage(`${tag}:v1`).push({ authconfig: { username: 'u', password: 'p' } }));
  t.equal('push', said.filter((line) => line.aux).map((line) => line.aux.Tag), ['v1']);
  await t.docker.getImage(`${tag}:v1`).remove();
  said = await progress(t, await t.docker.pull(`${tag}:v1`));
  t.has('pull', `Status: Downloaded newer image for ${tag}:v1`, said.map((line) => line.status));
  t.equal('pull: the same image', (await t.docker.getImage(`${tag}:v1`).inspect()).Id, box.Id);
  t.ok('what the registry knows', (await t.docker.getImage(`${tag}:v1`).distribution()).Descriptor.digest.startsWith('sha256:'));
  await t.rejects('pull of what is not there', 404, 'manifest', t.docker.pull(`${tag}:absent`));
  said = await t.docker.getImage(tag).push({ tag: 'absent', authconfig: { username: 'u', password: 'p' } }).then((stream) => progress(t, stream), (error) => [{ error: error.message }]);
  t.has('push of what is not there', 'does not exist', said.pop().error);
  const archive = await t.docker.getImage(`${tag}:v1`).get();
  const file = path.join(os.tmpdir(), t.name('saved.tar'));
  await require('stream/promises').pipeline(archive, fs.createWriteStream(file));
  await t.docker.getImage(`${tag}:v1`).remove();
  t.has('save and load', `Loaded image: ${tag}:v1`, (await read(await t.docker.loadImage(file))));
  fs.writeFileSync(file, await t.tar({ hello: 'hello\n' }));
  forget(t, t.name('imported:v1'));
  said = await read(await t.docker.importImage(file, { repo: t.name('imported'), tag: 'v1' }));
  t.has('import', (await t.docker.getImage(t.name('imported:v1')).inspect()).Id, said);
  await t.rejects('credentials that no registry takes', 500, '', t.docker.checkAuth({ username: 'u', password: 'p', serveraddress: '127.0.0.1:1' }));
}

async function looks(t) {
  const box = await t.docker.getImage('busybox').inspect();
  t.equal('history', (await t.docker.getImage(box.Id).history()).map((step) => step.CreatedBy), ['busybox']);
  t.equal('list by reference', (await t.docker.listImages({ filters: { reference: ['busybox:latest'] } })).map((image) => image.Id), [box.Id]);
  await t.rejects('an image that is not there', 404, 'no such image', t.docker.getImage(t.name('none')).inspect());
  await t.rejects('search without the hub', 500, '', t.docker.searchImages({ term: 'busybox' }));
  t.ok('prune', (await t.docker.pruneImages({ filters: { label: [`none=${t.prefix}`] } })).SpaceReclaimed === 0);
  t.equal('ping', (await t.docker.ping()).toString(), 'OK');
  t.ok('info', (await t.docker.info()).OSType === 'linux');
  t.ok('version', Number((await t.docker.version()).ApiVersion.split('.')[1]) >= 41);
  t.ok('df', (await t.docker.df()).LayersSize > 0);
  await t.rejects('services are another product\'s', 503, '', t.docker.listServices());
}

module.exports = { all: [classic, buildkit, credentials, moves, looks], few: [classic, buildkit], context, progress };
