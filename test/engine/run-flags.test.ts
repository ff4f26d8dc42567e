/** Flags of run, seen from inside real containers; how each becomes a document is told in test/plan. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Engine, RunOptions } from '../../src/types/engine.js';
import { run, withEngine } from './harness.js';

function temporary(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'tsrun-flags-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const sh = async (engine: Engine, script: string, options: Partial<RunOptions> = {}) => {
  const { stdout, stderr } = await run(engine, { ...options, rm: true, command: ['sh', '-c', script] });
  return stdout + stderr;
};

async function refusedWith(t: ExecutionContext, action: Promise<unknown>, message: string): Promise<void> {
  await t.throwsAsync(action, { message, name: 'TsrunError' });
}

test('limits of the process, capabilities, no new privileges', async (t) => {
  await withEngine(async ({ engine }) => {
    const options: Partial<RunOptions> = {
      ulimit: ['nofile=100:200', 'core=-1'],
      capAdd: ['NET_ADMIN'],
      capDrop: ['CHOWN'],
      securityOpt: ['no-new-privileges'],
      oomScoreAdj: 321,
      groupAdd: ['77'],
    };
    const out = await sh(
      engine,
      'ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj; id -G; ' +
        'grep -E "CapBnd|NoNewPrivs" /proc/self/status; ulimit -Hc',
      options,
    );
    t.deepEqual(out.trim().split('\n'), [
      '100',
      '200',
      'unlimited',
      '321',
      '0 77',
      'CapBnd:\t00000000a80435fa',
      'NoNewPrivs:\t1',
      'unlimited',
    ]);
  });
});

test('mounts: tmpfs, read-only root, shm', async (t) => {
  await withEngine(async ({ engine }) => {
    const out = await sh(engine, 'touch /x; touch /a/x /dev/shm/x && mount | grep -E " /(a|dev/shm) "', {
      tmpfs: ['/a:size=1m,exec'],
      readOnly: true,
      shmSize: '2m',
    });
    t.true(out.includes('touch: /x: Read-only file system'), out);
    t.regex(out, /tmpfs on \/a type tmpfs \(rw,nosuid,nodev,relatime,size=1024k\)/);
    t.regex(out, /shm on \/dev\/shm type tmpfs \(rw,nosuid,nodev,noexec,relatime,size=2048k\)/);
  });
});

test('a bind of --mount must have its source, at create and at every start', async (t) => {
  const dir = temporary(t);
  await withEngine(async ({ engine }) => {
    const source = join(dir, 'data');
    const options = { image: 'busybox', network: 'none', mount: [`type=bind,src=${source},dst=/d`] };
    const message = `invalid mount config for type "bind": bind source path does not exist: ${source}`;
    await refusedWith(t, engine.create(options), message);
    t.false(existsSync(source));
    t.deepEqual(await engine.ps({ all: true }), []);
    writeFileSync(source, 'here');
    t.is(await sh(engine, 'cat /d', options), 'here');
    const { id } = await engine.create(options);
    rmSync(source);
    await refusedWith(t, engine.start(id), message);
    t.false(existsSync(source));
  });
});

test('names: files are written anew at each start, with what was asked for', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      command: ['sh', '-c', 'cat /etc/hosts /etc/resolv.conf; hostname; cat /proc/sys/kernel/domainname'],
      hostname: 'h',
      domainname: 'lan',
      addHost: ['db:1.2.3.4'],
      dns: ['9.9.9.9'],
      dnsSearch: ['.'],
      dnsOption: ['ndots:3'],
    });
    for (let start = 1; start <= 2; start++) {
      const attachment = await engine.start(id, { attach: { stdout: true } });
      const out = (await attachment?.stdout.toArray())?.join('') ?? '';
      t.is(await attachment?.exit, 0);
      t.true(out.endsWith('1.2.3.4\tdb\nnameserver 9.9.9.9\noptions ndots:3\nh\nlan\n'), out);
    }
  });
});

test('the id goes to a file, which must not be there before', async (t) => {
  const dir = temporary(t);
  await withEngine(async ({ engine }) => {
    const cidFile = join(dir, 'cid');
    const { id } = await engine.create({ image: 'busybox', network: 'none', cidFile });
    t.is(readFileSync(cidFile, 'utf8'), id);
    await refusedWith(
      t,
      engine.create({ image: 'busybox', cidFile }),
      `container ID file found, make sure the other container isn't running or delete ${cidFile}`,
    );
    t.is(readFileSync(cidFile, 'utf8'), id);
    // A container that did not come to be leaves no file.
    const other = join(dir, 'other');
    await t.throwsAsync(engine.create({ image: 'busybox', cidFile: other, cpus: '4096' }));
    t.false(existsSync(other));
    await refusedWith(
      t,
      engine.create({ image: 'busybox', cidFile: join(dir, 'no/cid') }),
      `failed to create the container ID file: open ${join(dir, 'no/cid')}: no such file or directory`,
    );
  });
});

test('files that flags name', async (t) => {
  const dir = temporary(t);
  await withEngine(async ({ engine }) => {
    writeFileSync(join(dir, 'labels'), 'a=1\nb=2\n');
    writeFileSync(join(dir, 'seccomp.json'), '{"defaultAction":"SCMP_ACT_ALLOW"}');
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      labelFile: [join(dir, 'labels')],
      label: ['b=3'],
      securityOpt: [`seccomp=${join(dir, 'seccomp.json')}`],
    });
    const { Config, HostConfig } = await engine.inspectContainer(id);
    t.like(Config.Labels, { a: '1', b: '3' });
    t.deepEqual(HostConfig.SecurityOpt, ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']);
    await refusedWith(
      t,
      engine.create({ image: 'busybox', labelFile: [join(dir, 'no')] }),
      `open ${join(dir, 'no')}: no such file or directory`,
    );
  });
});

test('other containers: their volumes, and namespaces that must live', async (t) => {
  await withEngine(async ({ engine }) => {
    const owner = await engine.create({
      image: 'busybox',
      network: 'none',
      name: 'owner',
      volume: ['/data'],
      ipc: 'shareable',
      command: ['sh', '-c', 'echo kept > /data/f'],
    });
    await engine.start(owner.id);
    await engine.wait(owner.id);
    const out = await sh(engine, 'cat /data/f; touch /data/g', { volumesFrom: ['owner:ro'] });
    t.regex(out, /^kept\n.*Read-only file system/);
    // --rm of the borrower left the owner's volume alone.
    t.is(await sh(engine, 'cat /data/f', { volumesFrom: ['owner'] }), 'kept\n');
  });
});

test('what the host shares: PIDs, names', async (t) => {
  await withEngine(async ({ engine }) => {
    const out = await sh(engine, 'for n in pid uts ipc; do readlink /proc/self/ns/$n; done; ls -d /dev/shm', {
      pid: 'host',
      uts: 'host',
      ipc: 'none',
    });
    const [pid, uts, ipc, shm] = out.trim().split('\n');
    const own = (name: string) => readlinkSync(`/proc/self/ns/${name}`);
    t.is(pid, own('pid'));
    t.is(uts, own('uts'));
    t.not(ipc, own('ipc'));
    t.regex(shm ?? '', /No such file/);
  });
});

test('devices mean what their paths mean at the start', async (t) => {
  const dir = temporary(t);
  await withEngine(async ({ engine }) => {
    const path = join(dir, 'node');
    const mknod = (minor: number) => execFileSync('mknod', [path, 'c', '1', String(minor)]);
    mknod(3);
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      device: [`${path}:/dev/x`],
      ulimit: ['core=-1'],
      command: ['sh', '-c', 'stat -c %T /dev/x; ulimit -c'],
    });
    rmSync(path);
    const gone = `error gathering device information while adding custom device "${path}": no such file or directory`;
    await refusedWith(t, engine.start(id), gone);
    mknod(5);
    const attachment = await engine.start(id, { attach: { stdout: true } });
    t.is((await attachment?.stdout.toArray())?.join(''), '5\nunlimited\n');
  });
});

test('privileged: the devices of the host are there and open', async (t) => {
  await withEngine(async ({ engine }) => {
    const out = await sh(engine, 'ls /dev | wc -l; ls -l /dev/ptmx; head -c 0 /dev/zero && echo fine', {
      privileged: true,
    });
    t.regex(out, /ptmx -> pts\/ptmx/);
    t.true(out.endsWith('fine\n'));
    t.true(Number.parseInt(out, 10) > 14, out);
  });
});
