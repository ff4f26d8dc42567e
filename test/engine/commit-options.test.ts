/** commit --squash, --timestamp, --include-volumes, and what it says of volumes. */
import test from 'ava';
import type { CommitOptions } from '../../src/types/engine.js';
import { run, withEngine } from './harness.js';

const MAKE =
  'echo v > /etc/version; ln /etc/version /again; rm /etc/shadow; mkdir -p /opt/dir; chmod 2711 /opt/dir';

test.serial(
  'the same changes of the same image give the same image, in two stores at two times',
  async (t) => {
    const commit = async (options: CommitOptions) => {
      const made: string[] = [];
      await withEngine(async ({ engine }) => {
        const { id } = await run(engine, { command: ['sh', '-c', MAKE] });
        const image = await engine.commit(id, { ...options, changes: ['ENV A=1'], repository: 'made:1' });
        const { RootFS, Created } = await engine.inspectImage('made:1');
        made.push(image, Created, ...RootFS.Layers);
      });
      return made;
    };
    const stamped = { timestamp: 1_700_000_000, message: 'x' };
    const first = await commit(stamped);
    t.is(first[1], '2023-11-14T22:13:20Z');
    t.deepEqual(await commit(stamped), first);
    t.not((await commit({ message: 'x' })).at(-1), first.at(-1), 'without it every layer is another');
  },
);

test.serial(
  'a squashed image has one layer with everything, its history, and stands on nothing',
  async (t) => {
    await withEngine(async ({ engine }) => {
      const { id } = await run(engine, { command: ['sh', '-c', MAKE] });
      const base = await engine.inspectImage('busybox');
      const image = await engine.commit(id, { repository: 'flat:1', squash: true, message: 'all of it' });
      const plain = await engine.commit(id, { repository: 'layered:1' });
      const flat = await engine.inspectImage('flat:1');
      t.is(flat.Id, image);
      t.is(flat.RootFS.Layers.length, 1);
      t.is(flat.Parent, '');
      const history = await engine.history('flat:1');
      t.is(history.length, (await engine.history('busybox')).length + 1);
      t.is(history.at(0)?.comment, 'all of it');
      t.true((history.at(0)?.size ?? 0) > base.Size / 2);
      t.true(history.slice(1).every(({ size }) => size === 0));
      const list =
        'find / -xdev ! -path "/proc*" ! -path "/sys*" ! -path "/dev*" ! -path "/etc/host*" ! -path /etc/resolv.conf ! -path / -exec stat -c "%n %a %u:%g %h %s %Y" {} + | sort';
      const show = async (name: string) =>
        (await run(engine, { image: name, command: ['sh', '-c', list] })).stdout;
      const lines = (text: string) => text.split('\n').filter((line) => !/^\/(etc|\.dockerenv) /.test(line));
      t.deepEqual(lines(await show('flat:1')), lines(await show(plain)));
      // Nothing of the base is needed any more.
      for (const { id: user } of await engine.ps({ all: true })) await engine.remove(user);
      await engine.removeImage('layered:1');
      await engine.removeImage('busybox');
      t.is((await run(engine, { image: 'flat:1', command: ['cat', '/again'] })).stdout, 'v\n');
      t.is((await run(engine, { image: 'flat:1', command: ['cat', '/etc/shadow'] })).code, 1);
    });
  },
);

test.serial('what lies in a volume is told of, or comes with the image', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await run(engine, {
      command: ['sh', '-c', 'echo data > /data/table; echo 1 > /file; chmod 700 /data'],
      volume: ['/data', 'empty:/nothing'],
    });
    const said: string[] = [];
    const onWarning = (text: string) => said.push(text);
    await engine.commit(id, { repository: 'without:1', onWarning });
    t.deepEqual(said, ['data in volumes is not part of the image: /data']);
    const read = ['sh', '-c', 'cat /data/table /file; stat -c %a /data'];
    t.is((await run(engine, { image: 'without:1', command: read })).stdout, '1\n755\n');

    for (const squash of [false, true]) {
      const changes = ['VOLUME /data'];
      await engine.commit(id, { repository: 'with:1', includeVolumes: true, squash, changes, onWarning });
      t.is(said.length, 1);
      // Its own volume of the new container is filled with it.
      const seen = await run(engine, { image: 'with:1', command: read });
      t.is(seen.stdout, 'data\n1\n700\n', seen.stderr);
    }
    await engine.volumes.create({ name: 'mem', options: { type: 'tmpfs', device: 'tmpfs' } });
    const other = await run(engine, { command: ['true'], volume: ['mem:/mem'] });
    await t.throwsAsync(engine.commit(other.id, { includeVolumes: true }), {
      code: 'USAGE',
      message: /volume mem/,
    });
  });
});

test.serial('every instruction that a commit knows', async (t) => {
  await withEngine(async ({ engine }) => {
    const { id } = await run(engine, { command: ['true'] });
    await engine.commit(id, {
      repository: 'all:1',
      changes: [
        'CMD ["a", "b"]',
        'ENTRYPOINT ["/e"]',
        'ENV A=1 B="two words"',
        'EXPOSE 80 53/udp',
        'HEALTHCHECK --interval=5s --retries=2 CMD check me',
        'LABEL x=y',
        'ONBUILD RUN something',
        'STOPSIGNAL SIGUSR1',
        'USER 1:2',
        'VOLUME /v1 /v2',
        'WORKDIR /w',
      ],
    });
    const { Config } = await engine.inspectImage('all:1');
    t.like(Config, {
      Cmd: ['a', 'b'],
      Entrypoint: ['/e'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Healthcheck: { Test: ['CMD-SHELL', 'check me'], Interval: 5e9, Retries: 2 },
      Labels: { x: 'y' },
      OnBuild: ['RUN something'],
      StopSignal: 'SIGUSR1',
      User: '1:2',
      Volumes: { '/v1': {}, '/v2': {} },
      WorkingDir: '/w',
    });
    t.deepEqual(Config.Env?.slice(-2), ['A=1', 'B=two words']);
    for (const change of ['RUN x', 'FROM x', 'COPY a b', 'ARG x', 'SHELL ["x"]', 'MAINTAINER x', 'ADD a b'])
      await t.throwsAsync(engine.commit(id, { changes: [change] }), {
        message: /is not a valid change command/,
      });
  });
});
