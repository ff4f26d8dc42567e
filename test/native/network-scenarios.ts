/** What network.test.ts runs, each in a network and mount namespace of its own: this namespace is "the host". */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { errnoOf } from '../../src/errors.js';
import { type ContainerOptions, type HandMade, HandMadeStore, until } from '../helpers/hand-made.js';

const HOST = '192.0.2.2';
const OUTER = '192.0.2.1';
/** An address that only the machine outside has: reached by the default route. */
const FAR = '198.51.100.1';

/** By its path: under npx, a package of this name comes first in PATH. */
const NFT = '/usr/sbin/nft';
const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' });
const ip = (line: string): string => run('ip', ...line.split(' '));

/** Serves "you are <address>" on `port`, and asks for / by HTTP when told to by a line "<address> <port>". */
const PEER = `
const net = require('node:net');
net.createServer((s) => s.end('you are ' + s.remoteAddress)).listen({ host: '0.0.0.0', port: +process.argv[1] }, () => {
  console.log('ready');
});
const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('close', () => process.exit()).on('line', (line) => {
  const [host, port] = line.split(' ');
  const socket = net.connect({ host, port: +port, timeout: 1000 });
  let text = '';
  socket.write('GET / HTTP/1.0\\r\\n\\r\\n');
  const end = (answer) => { socket.destroy(); if (answer !== undefined) console.log(answer); };
  socket.on('data', (data) => { text += data; });
  socket.on('end', () => end(text.trim().split('\\n').at(-1))).on('timeout', () => end('unreachable')).on('error', (e) => end(e.code));
});`;

class Peer {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(command: string[], port: number) {
    const [file = '', ...args] = [...command, process.execPath, '-e', PEER, String(port)];
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    assert(this.child.stdout !== null);
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  static async start(command: string[], port: number): Promise<Peer> {
    const peer = new Peer(command, port);
    await peer.#lines.next();
    return peer;
  }

  async connect(host: string, port: number): Promise<string> {
    this.child.stdin?.write(`${host} ${port}\n`);
    return (await this.#lines.next()).value;
  }
}

/** Gives "the host" an uplink with a default route to a machine outside, which has a route to `subnet` through us. */
async function uplink(subnet: string): Promise<Peer> {
  ip('link set lo up');
  const outer = await Peer.start(['unshare', '--net'], 80);
  ip(`link add up0 mtu 1400 type veth peer name up1 netns ${outer.child.pid}`);
  ip(`addr add ${HOST}/24 dev up0`);
  ip('link set up0 up');
  const inOuter = (line: string): string =>
    run('nsenter', '-t', String(outer.child.pid), '-n', 'ip', ...line.split(' '));
  inOuter(`addr add ${OUTER}/24 dev up1`);
  inOuter('link set up1 up');
  inOuter('link set lo up');
  inOuter(`addr add ${FAR}/32 dev lo`);
  inOuter(`route add ${subnet} via ${HOST}`);
  ip(`route add default via ${OUTER}`);
  return outer;
}

/** All containers of a scenario: none may outlive it, also when it fails. */
const made: HandMade[] = [];

function bridged(store: HandMadeStore, args: string[], network: object = {}): HandMade {
  const options: ContainerOptions = {
    launch: { network: { mode: 'bridge', extraHosts: [], hostname: 'h', ...network } },
  };
  const container = store.container(args, options);
  made.push(container);
  return container;
}

const shell = (script: string): string[] => ['/bin/busybox', 'sh', '-c', script];

/** Runs to its end; what it printed. */
async function output(container: HandMade): Promise<string> {
  const { client, records } = await container.start();
  assert.equal(await client.ended, 0, JSON.stringify([records.at(-1), client.text(2)]));
  return client.text();
}

/** Starts one that stays, and gives its address. */
async function stay(container: HandMade): Promise<string> {
  const { records } = await container.start();
  assert.deepEqual(
    records.filter((record) => 'fail' in record),
    [],
  );
  const address = container.state.network?.ip;
  assert(address !== undefined);
  return address;
}

const SLEEP = shell('echo up; while :; do sleep 1000; done');

async function end(container: HandMade): Promise<void> {
  // The state goes when everything else of the container's run is released.
  try {
    process.kill(container.state.pid, 'SIGKILL');
  } catch (error) {
    if (existsSync(container.paths.state)) assert.equal(errnoOf(error), 'ESRCH');
  }
  await until(() => !existsSync(container.paths.state));
}

function stateDirectory(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  return `/run/tsrun/net/${boot}-${readlinkSync('/proc/self/ns/net').replaceAll(/\D/g, '')}`;
}

function assertNothingLeft(): void {
  assert.doesNotMatch(ip('-br link'), /^ts/m);
  assert.doesNotMatch(run(NFT, 'list', 'tables'), /tsrun/);
  assert(!existsSync(stateDirectory()), stateDirectory());
}

async function withStore(body: (store: HandMadeStore) => Promise<void>): Promise<void> {
  const store = new HandMadeStore();
  try {
    await body(store);
  } finally {
    for (const container of made) if (existsSync(container.paths.state)) await end(container);
    store.remove();
  }
}

export const reach = (): Promise<void> =>
  withStore(async (store) => {
    const outer = await uplink('172.30.0.0/16');
    const host = await Peer.start([], 81);

    const server = bridged(store, shell('echo hi > /tmp/index.html; busybox httpd -f -p 8082 -h /tmp'));
    const address = await stay(server);
    const ask = (to: string, port: number): string => `busybox nc -w 2 ${to} ${port} </dev/null; echo`;
    const seen = await output(
      bridged(
        store,
        shell(
          [
            ask(FAR, 80),
            ask('172.30.0.1', 81),
            ask(HOST, 81),
            `until busybox wget -qO- http://${address}:8082/; do :; done`,
            'cat /proc/net/if_inet6',
          ].join(';'),
        ),
      ),
    );
    const lines = seen.split('\n').map((line) => line.trim());
    // Outside it is the host's address; the host and the neighbours on the bridge see the container's own.
    assert.equal(lines[0], `you are ${HOST}`);
    assert.match(lines[1] ?? '', /^you are 172\.30\.0\.\d+$/);
    assert.match(lines[2] ?? '', /^you are 172\.30\.0\.\d+$/);
    assert.equal(lines[3], 'hi');
    assert.match(seen, /00000001 01 80 10 80 +lo/);
    assert.doesNotMatch(seen, /eth0/);

    assert.equal(await host.connect(address, 8082), 'hi');
    assert.equal(await outer.connect(HOST, 81), `you are ${OUTER}`);
    // A neighbour that routes the subnet to us reaches neither a container nor the bridge's address.
    assert.equal(await outer.connect(address, 8082), 'unreachable');
    assert.equal(await outer.connect('172.30.0.1', 81), 'unreachable');

    // A firewall reload loses the rules; a table that lost only its rules is no better. The next start repairs both.
    for (const loss of ['flush ruleset', 'flush table inet tsrun']) {
      run(NFT, ...loss.split(' '));
      assert.equal(await outer.connect(address, 8082), 'hi');
      assert.equal((await output(bridged(store, shell(ask(FAR, 80))))).trim(), `you are ${HOST}`);
      assert.equal(await outer.connect(address, 8082), 'unreachable');
    }
    assert.match(ip('link show tsrun0'), /mtu 1400/);
    assert.equal(readFileSync('/proc/sys/net/ipv6/conf/tsrun0/accept_ra', 'utf8').trim(), '0');
    await end(server);
    assertNothingLeft();
  });

export const manyAndKilled = (): Promise<void> =>
  withStore(async (store) => {
    const other = new HandMadeStore(); // addresses are the machine's, not a store's
    const make = (count: number): HandMade[] =>
      Array.from({ length: count }, (_, i) => bridged(i % 2 === 0 ? store : other, SLEEP));
    const first = make(12);
    const addresses = await Promise.all(first.map(stay));
    assert.equal(new Set(addresses).size, first.length);
    assert.equal(ip('-br link').match(/^ts[0-9a-f]{12}@/gm)?.length, first.length);

    const killed = first.slice(0, 6);
    const pids = killed.map((container) => container.state.pid);
    for (const container of killed) process.kill(container.monitorPid, 'SIGKILL');
    // PID 1 dies with its monitor, and its links with the namespace; the leases are free, and yet not given again.
    await until(() => pids.every((pid) => !existsSync(`/proc/${pid}`)));
    const second = make(6);
    addresses.push(...(await Promise.all(second.map(stay))));
    assert.equal(new Set(addresses).size, first.length + second.length);

    await Promise.all(killed.map((container) => container.recover()));
    const living = [...first.slice(6), ...second];
    assert.deepEqual(
      readdirSync(join(stateDirectory(), 'leases')).sort(),
      living.map((container) => container.state.network?.ip).sort(),
    );
    for (const container of killed) assert.equal(container.exit.exitCode, 137);
    await Promise.all(living.map(end));
    other.remove();
    assertNothingLeft();
  });

/** A lease that its dead owner has not given back yet, and that somebody else has by now, stays with the new owner. */
export const staleLease = (): Promise<void> =>
  withStore(async (store) => {
    // A subnet with one free address, so that it must be given again.
    ip('link add tsrun0 type bridge');
    ip('addr add 10.99.0.1/30 dev tsrun0');
    const dead = bridged(store, SLEEP);
    assert.equal(await stay(dead), '10.99.0.2');
    const full = bridged(store, SLEEP);
    const { records } = await full.start();
    assert.match(JSON.stringify(records), /"step":"network\.lease".*no free address/);

    const pid = dead.state.pid;
    process.kill(dead.monitorPid, 'SIGKILL');
    await until(() => !existsSync(`/proc/${pid}`));
    const heir = bridged(store, SLEEP);
    assert.equal(await stay(heir), '10.99.0.2');
    await dead.recover();
    assert.deepEqual(readdirSync(join(stateDirectory(), 'leases')), ['10.99.0.2']);
    assert.match(run(NFT, 'list', 'tables'), /tsrun/);
    await end(heir);
    // The bridge was the administrator's.
    assert.match(ip('-br addr show tsrun0'), /10\.99\.0\.1\/30/);
    assert(!existsSync(stateDirectory()));
  });

export const subnetAvoidsRoutes = (): Promise<void> =>
  withStore(async (store) => {
    ip('link add x type veth peer name y');
    ip('addr add 172.30.5.1/24 dev x');
    ip('link set x up');
    ip('route add 172.29.0.0/20 dev x');
    ip('route add blackhole 172.28.1.0/24');
    const container = bridged(store, SLEEP);
    assert.equal(await stay(container), '10.209.0.2');
    assert.equal(container.state.network?.gateway, '10.209.0.1');
    assert.equal(container.state.network?.mac, '02:42:0a:d1:00:02');
    await end(container);
    assertNothingLeft();
  });

export const withoutNft = (): Promise<void> =>
  withStore(async (store) => {
    for (const path of ['/usr/sbin/nft', '/sbin/nft', '/usr/local/sbin/nft'])
      if (existsSync(path)) run('mount', '--bind', '/dev/null', path);
    const { client, records } = await bridged(store, SLEEP).start();
    const failure = records.find((record) => 'fail' in record);
    assert(failure !== undefined && 'fail' in failure);
    assert.equal(failure.fail.step, 'network.nat');
    assert.match(failure.fail.detail ?? '', /apt-get install nftables/);
    await client.ended;
    assert.doesNotMatch(ip('-br link'), /^ts/m);
    assert(!existsSync(stateDirectory()));
  });

export const badRules = (): Promise<void> =>
  withStore(async (store) => {
    const fake = join(tmpdir(), `nft-${process.pid}`);
    writeFileSync(fake, '#!/bin/sh\necho kaputt >&2\nexit 3\n', { mode: 0o755 });
    run('mount', '--bind', fake, '/usr/sbin/nft');
    const { client, records } = await bridged(store, SLEEP).start();
    await client.ended;
    run('umount', '/usr/sbin/nft');
    run('rm', fake);
    assert.match(JSON.stringify(records), /"step":"network\.nat".*kaputt/);
    assertNothingLeft();
  });

export const hostsFile = (): Promise<void> =>
  withStore(async (store) => {
    const network = { extraHosts: ['10.0.0.1\tdb'], hostname: 'web' };
    const standard =
      '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n' +
      'ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n';
    const container = bridged(store, shell('true'), network);
    // Longer than what replaces it: nothing of it may stay; and the inode is the one that is bind-mounted.
    writeFileSync(container.paths.hosts, '#'.repeat(4000));
    await output(container);
    assert.equal(readFileSync(container.paths.hosts, 'utf8'), `${standard}10.0.0.1\tdb\n172.30.0.2\tweb\n`);
    const alone = store.container(shell('ip -br a 2>/dev/null; cat /proc/net/dev'));
    assert.match(await output(alone), /lo:/);
    assert.equal(readFileSync(alone.paths.hosts, 'utf8'), standard);
    assertNothingLeft();
  });
