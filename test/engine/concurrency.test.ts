import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { names, run, withEngine } from './harness.js';

test.serial('twenty creations of one name: one container, nineteen conflicts, no remains', async (t) => {
  await withEngine(async ({ root, another }) => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        another().create({ image: 'busybox', network: 'none', name: 'only', volume: ['/data'] }),
      ),
    );
    const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    t.deepEqual(codes, Array(19).fill('CONFLICT'));
    t.is(names(root, 'containers').length, 1);
    t.is(names(root, 'volumes').length, 1);
    t.deepEqual(names(root, 'staging'), ['ingest']);
  });
});

test.serial('twenty creations without a name get twenty names', async (t) => {
  await withEngine(async ({ engine, root }) => {
    await Promise.all(Array.from({ length: 20 }, () => engine.create({ image: 'busybox', network: 'none' })));
    t.is(names(root, 'containers').length, 20);
    t.is(new Set((await engine.ps({ all: true })).map(({ names: [name] }) => name)).size, 20);
  });
});

test.serial('many starts of one container start it once', async (t) => {
  await withEngine(async ({ engine, another }) => {
    const { id } = await engine.create({
      image: 'busybox',
      network: 'none',
      command: ['sh', '-c', 'echo up; sleep 1000'],
    });
    await Promise.all(Array.from({ length: 8 }, () => another().start(id)));
    t.is((await engine.ps()).length, 1);
    const lines: string[] = [];
    for await (const { line } of engine.logs(id)) lines.push(Buffer.from(line).toString());
    t.deepEqual(lines, ['up\n']);
  });
});

test.serial('rm against start: whoever comes second is told, and nothing is left', async (t) => {
  await withEngine(async ({ engine, root, another }) => {
    for (let round = 0; round < 4; round++) {
      const { id } = await engine.create({ image: 'busybox', network: 'none', command: ['sleep', '1000'] });
      const [started, removed] = await Promise.allSettled([
        another().start(id),
        another().remove(id, { force: true }),
      ]);
      if (started?.status === 'rejected') t.is(started.reason.code, 'NOT_FOUND');
      t.is(removed?.status, 'fulfilled');
      t.deepEqual(names(root, 'containers'), []);
      t.deepEqual(names(root, 'names'), []);
    }
  });
});

const ENGINE = fileURLToPath(new URL('../../src/index.ts', import.meta.url));

test.serial('a client that is killed leaves its container running', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const program = `
      import { createEngine } from ${JSON.stringify(ENGINE)};
      const engine = createEngine({ root: process.argv[1] });
      const { id } = await engine.create({ image: 'busybox', network: 'none', name: 'survivor', command: ['sleep', '1000'] });
      await engine.start(id, { attach: { stdout: true } });
      console.log('started');
      setInterval(() => {}, 1000);`;
    const client = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', program, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(client.stdout, 'data');
    client.kill('SIGKILL');
    await once(client, 'exit');
    t.is((await engine.ps())[0]?.state, 'running');
    await engine.remove('survivor', { force: true });
    t.deepEqual(names(root, 'containers'), []);
  });
});

/** No such process, or one that only waits for whoever adopted it to read its end. */
function isGone(pid: number): boolean {
  return !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** Pid of the monitor: the parent of the container's first process. */
function monitorOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test.serial('a monitor that is killed: PID 1 is gone at the next command, which says 137', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const { id } = await engine.create({ image: 'busybox', network: 'none', command: ['sleep', '1000'] });
    const attachment = await engine.start(id, { attach: { stdout: true } });
    const { Pid } = (await engine.inspectContainer(id)).State;
    process.kill(monitorOf(Pid), 'SIGKILL');
    t.is(await attachment?.exit, 137);
    const [row] = await engine.ps({ all: true });
    t.is(row?.state, 'exited');
    t.regex(row?.status ?? '', /^Exited \(137\) /);
    t.true(isGone(Pid));
    t.false(existsSync(join(root, 'containers', id, 'ledger')));
    const rm = await engine.create({
      image: 'busybox',
      network: 'none',
      rm: true,
      command: ['sleep', '1000'],
    });
    const lost = await engine.start(rm.id, { attach: { stdout: true } });
    process.kill(monitorOf((await engine.inspectContainer(rm.id)).State.Pid), 'SIGKILL');
    t.is(await lost?.exit, 137);
    t.deepEqual(names(root, 'containers'), [id]);
    await engine.remove(id);
  });
});

test.serial('a name whose container is gone is free again', async (t) => {
  await withEngine(async ({ engine, root }) => {
    const orphan = { version: 1, id: 'f'.repeat(64) };
    writeFileSync(join(root, 'names', 'ghost'), JSON.stringify(orphan));
    writeFileSync(join(root, 'names', 'torn'), '');
    const { id } = await engine.create({ image: 'busybox', network: 'none', name: 'ghost' });
    t.is((await engine.inspectContainer('ghost')).Id, id);
    await engine.ps();
    t.deepEqual(names(root, 'names'), ['ghost']);
  });
});

test.serial('ids: full, by unique prefix, never by a part of a name', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await run(engine, { name: 'web1', command: ['true'] });
    t.is((await engine.inspectContainer(id.slice(0, 3))).Id, id);
    t.is((await engine.inspectContainer('/web1')).Id, id);
    await t.throwsAsync(engine.inspectContainer('web'), { code: 'NOT_FOUND' });
    await t.throwsAsync(engine.inspectContainer('../names'), { code: 'NOT_FOUND' });
  });
});
