// SPDX-License-Identifier: Apache-2.0
// dockerode as people use it, against the pool or (--direct) against one engine.
//   node dockerode.js --host HOST [--tls DIR] [--engines HOST,…] [--direct] [--on WHAT] [--prefix TEXT] all|few
'use strict';
const fs = require('fs');
const { parseArgs } = require('util');
const Docker = require('dockerode');
const tar = require('tar-stream');
const { Checks } = require('./checks');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { host: { type: 'string' }, tls: { type: 'string' }, engines: { type: 'string', default: '' }, direct: { type: 'boolean' },
    on: { type: 'string', default: 'dockerode' }, prefix: { type: 'string', default: 'node' } },
});

function options() {
  const url = new URL(values.host);
  if (url.protocol === 'unix:') return { socketPath: url.pathname };
  if (!values.tls) return { protocol: 'http', host: url.hostname, port: url.port };
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => fs.readFileSync(`${values.tls}/${name}.pem`));
  return { protocol: 'https', host: url.hostname, port: url.port, ca, cert, key };
}

// An archive of files and their texts, and back.
async function pack(files) {
  const archive = tar.pack();
  for (const [name, text] of Object.entries(files)) archive.entry({ name }, text);
  archive.finalize();
  const parts = [];
  for await (const part of archive) parts.push(part);
  return Buffer.concat(parts);
}

function unpack(stream) {
  return new Promise((resolve, reject) => {
    const files = {};
    const extract = tar.extract();
    extract.on('entry', (head, entry, next) => {
      const parts = [];
      entry.on('data', (part) => parts.push(part)).on('end', () => { files[head.name] = Buffer.concat(parts).toString(); next(); });
    });
    extract.on('finish', () => resolve(files)).on('error', reject);
    stream.on('error', reject).pipe(extract);
  });
}

async function main() {
  const given = { host: values.host, options: options(), pool: !values.direct, prefix: values.prefix, tar: pack, untar: unpack,
    engines: values.engines.split(',').filter(Boolean) };
  const t = new Checks(values.on, { ...given, docker: new Docker(given.options) });
  const modules = ['./containers', './images', ...(given.options.protocol === 'http' ? ['./grpc'] : [])].map((name) => require(name));
  for (const module of modules) {
    const groups = [...(module[positionals[0]] || []), ...((t.engines.length && module.pool) || [])];
    for (const group of groups) await t.run(group);
  }
  console.log('end');
  process.exit(0); // connections that are kept alive
}

main();
