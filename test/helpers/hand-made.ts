/** A container directory made by hand, and the monitor started on it through the addon: what lies below the engine. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExitRecord, LaunchSpec, StateRecord } from '../../src/native/launch.js';
import { helperPath, loadNative } from '../../src/native/load.js';
import { ENGINE_VERB, Frame, type ReportRecord, Want } from '../../src/native/protocol.js';
import { type ContainerPaths, storePaths } from '../../src/store/paths.js';
import { parseContainerId } from '../../src/types/ids.js';

export const native = loadNative();
export const helper = process.env.TSRUN_TEST_HELPER ?? helperPath();

const APPLETS = [
  'sh',
  'cat',
  'echo',
  'sleep',
  'true',
  'false',
  'head',
  'dd',
  'stty',
  'kill',
  'readlink',
  'ls',
  'wc',
  'printf',
  'tty',
  'seq',
];

/** A store with one layer: busybox-static and the files that name lookups need. */
export class HandMadeStore {
  readonly #temporary = mkdtempSync(join(tmpdir(), 'tsrun-monitor-'));
  /** Deep enough that the path of `sock` is longer than a socket's address may be. */
  readonly root = join(this.#temporary, 'a-store-with-a-long-name');
  readonly paths = storePaths(this.root);
  readonly tag = randomBytes(3).toString('hex');
  readonly lower = join(this.paths.layers, 'busybox');

  constructor() {
    for (const path of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp'])
      mkdirSync(join(this.lower, path), { recursive: true });
    for (const path of [this.paths.containers, this.paths.names, this.paths.trash, this.paths.volumes])
      mkdirSync(path);
    copyFileSync('/bin/busybox', join(this.lower, 'bin/busybox'));
    for (const name of APPLETS) linkSync(join(this.lower, 'bin/busybox'), join(this.lower, 'bin', name));
    writeFileSync(join(this.lower, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(join(this.lower, 'etc/group'), 'root:x:0:\n');
    for (const name of ['hosts', 'hostname', 'resolv.conf']) writeFileSync(join(this.lower, 'etc', name), '');
  }

  remove(): void {
    rmSync(this.#temporary, { recursive: true, force: true });
  }

  container(args: string[], options: ContainerOptions = {}): HandMade {
    return new HandMade(this, args, options);
  }
}

export interface ContainerOptions {
  terminal?: boolean;
  cwd?: string;
  launch?: Partial<LaunchSpec>;
}

const CAPABILITIES = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID', 'CAP_SETGID', 'CAP_DAC_OVERRIDE'];

export class HandMade {
  readonly id = parseContainerId(randomBytes(32).toString('hex'));
  readonly paths: ContainerPaths;
  readonly nameFile: string;

  constructor(store: HandMadeStore, args: string[], options: ContainerOptions) {
    this.paths = store.paths.container(this.id);
    this.nameFile = store.paths.name(`n${this.id.slice(0, 12)}`);
    for (const dir of [this.paths.dir, this.paths.upper, this.paths.work]) mkdirSync(dir);
    for (const file of ['hosts', 'hostname', 'resolvConf', 'record'] as const)
      writeFileSync(this.paths[file], '');
    linkSync(this.paths.record, this.nameFile);
    writeFileSync(this.paths.lock, '');
    writeFileSync(this.paths.config, JSON.stringify(specOf(store, this.id, args, options)));
    const launch: LaunchSpec = {
      version: 1,
      id: this.id,
      storeTag: store.tag,
      overlay: { lower: [store.lower], upper: this.paths.upper, work: this.paths.work, volatile: false },
      user: '',
      groupAdd: [],
      createCwd: false,
      copyUp: [],
      log: { driver: 'json-file', maxSize: 0, maxFile: 1 },
      network: { mode: 'none', extraHosts: [], hostname: 'h' },
      openStdin: false,
      stdinOnce: false,
      autoRemove: false,
      nameFile: this.nameFile,
      anonymousVolumes: [],
      ...options.launch,
    };
    writeFileSync(this.paths.launch, JSON.stringify(launch));
  }

  get exit(): ExitRecord {
    return JSON.parse(readFileSync(this.paths.exit, 'utf8'));
  }

  get state(): StateRecord {
    return JSON.parse(readFileSync(this.paths.state, 'utf8'));
  }

  get exists(): boolean {
    return existsSync(this.paths.dir);
  }

  /** The log as its objects. */
  get log(): { log: string; stream: string; time: string }[] {
    return readFileSync(this.paths.log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  /** Starts the monitor with a first client that wants everything. Resolves at the end of the report. */
  async start(want = Want.stdout | Want.stderr | Want.stdin): Promise<Run> {
    const [report, reportEnd] = native.pipe();
    const [attach, attachEnd] = native.socketPair();
    writeSync(attach, frame(Frame.hello, Buffer.of(want)));
    const pid = native.spawn({
      file: helper,
      args: [ENGINE_VERB, 'monitor', '--dir', this.paths.dir, '--report', '3', '--attach', '4'],
      env: [],
      fds: [
        { child: 3, parent: reportEnd },
        { child: 4, parent: attachEnd },
      ],
    });
    native.close(reportEnd);
    native.close(attachEnd);
    const client = new Client(attach);
    const text = await readAll(report);
    const records = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ReportRecord);
    const launcher = await native.waitPid(pid);
    return { client, records, launcher };
  }

  /** The monitor's pid, by its title. */
  get monitorPid(): number {
    const title = `tsrun:[monitor] ${this.id.slice(0, 12)}`;
    return Number(
      execFileSync('pgrep', ['-f', '-x', title.replaceAll(/[[\]]/g, '\\$&')], { encoding: 'utf8' }),
    );
  }

  connect(): Client {
    return new Client(native.connectUnix(this.paths.sock));
  }

  async recover(): Promise<string> {
    const [read, write] = native.pipe();
    const pid = native.spawn({
      file: helper,
      args: [ENGINE_VERB, 'recover', '--dir', this.paths.dir],
      env: [],
      fds: [{ child: 2, parent: write }],
    });
    native.close(write);
    const text = await readAll(read);
    await native.waitPid(pid);
    return text;
  }
}

export interface Run {
  client: Client;
  records: ReportRecord[];
  launcher: number;
}

export function frame(kind: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** A client that keeps what it hears. */
export class Client {
  readonly socket: Socket;
  readonly #chunks: { kind: number; data: Buffer }[] = [];
  readonly ended: Promise<number | undefined>;
  #rest: Buffer = Buffer.alloc(0);
  #exit: number | undefined;
  #wake = (): void => {};
  bytes = 0;
  keep = true;

  constructor(fd: number) {
    this.socket = new Socket({ fd, allowHalfOpen: true });
    this.ended = new Promise((resolve) => {
      this.socket.on('close', () => resolve(this.#exit));
    });
    this.socket.on('end', () => this.socket.destroy());
    this.socket.on('error', () => {});
    this.socket.on('data', (data: Buffer) => this.#receive(data));
  }

  #receive(data: Buffer): void {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    while (this.#rest.length >= 8) {
      const length = this.#rest.readUInt32BE(4);
      if (this.#rest.length < 8 + length) break;
      const kind = this.#rest[0] ?? 0;
      const payload = this.#rest.subarray(8, 8 + length);
      this.#rest = this.#rest.subarray(8 + length);
      if (kind === Frame.exit) this.#exit = payload.readUInt32BE(0);
      else {
        this.bytes += payload.length;
        if (this.keep) this.#chunks.push({ kind, data: Buffer.from(payload) });
      }
    }
    this.#wake();
  }

  text(kind: number = Frame.stdout): string {
    return Buffer.concat(
      this.#chunks.filter((chunk) => chunk.kind === kind).map(({ data }) => data),
    ).toString();
  }

  /** Resolves when `condition` is true of what has been heard. */
  async until(condition: (client: Client) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  send(kind: number, payload: Uint8Array | string = ''): void {
    this.socket.write(frame(kind, typeof payload === 'string' ? Buffer.from(payload) : payload));
  }
}

export async function readAll(fd: number): Promise<string> {
  const { createReadStream } = await import('node:fs');
  let text = '';
  for await (const chunk of createReadStream('', { fd, encoding: 'utf8' })) text += chunk;
  return text;
}

/** Resolves when `condition` holds: for what the kernel changes and nobody announces. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function specOf(store: HandMadeStore, id: string, args: string[], options: ContainerOptions): object {
  return {
    ociVersion: '1.2.0',
    process: {
      terminal: options.terminal === true,
      user: { uid: 0, gid: 0, umask: 0o022 },
      args,
      env: ['PATH=/bin'],
      cwd: options.cwd ?? '/',
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
        inheritable: [],
        ambient: [],
      },
      noNewPrivileges: false,
    },
    root: { path: 'rootfs' },
    hostname: 'h',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
    ],
    linux: {
      namespaces: ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup'].map((type) => ({ type })),
      cgroupsPath: `/tsrun/${store.tag}/${id}`,
      resources: { devices: [] },
      maskedPaths: [],
      readonlyPaths: [],
    },
  };
}
