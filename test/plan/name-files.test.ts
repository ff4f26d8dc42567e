import test from 'ava';
import { planNameFiles } from '../../src/plan/name-files.js';
import { containerResolvConf } from '../../src/plan/resolv-conf.js';

test('resolv.conf: servers that a container cannot reach are left out, the rest stays', (t) => {
  const stub = '# by systemd-resolved\nnameserver 127.0.0.53\noptions edns0\nsearch lan\n';
  const table: [string, string | undefined, RegExp | string][] = [
    ['nameserver 10.0.0.1\n', undefined, 'nameserver 10.0.0.1\n'],
    [
      '# c\nsearch a b\nnameserver 127.0.0.1\nnameserver  10.0.0.1 \noptions ndots:2\n',
      undefined,
      'search a b\nnameserver  10.0.0.1\noptions ndots:2\n',
    ],
    ['nameserver ::1\nnameserver fe80::1%eth0\nnameserver 1.1.1.1\n', undefined, 'nameserver 1.1.1.1\n'],
    [stub, 'nameserver 192.168.1.1\nsearch home\n', 'nameserver 192.168.1.1\nsearch home\n'],
    [stub, undefined, /^options edns0\nsearch lan\n# .*\nnameserver 8\.8\.8\.8\nnameserver 8\.8\.4\.4\n$/],
    [stub, 'nameserver 127.0.0.1\n', /^options edns0\nsearch lan\n# .*\nnameserver 8\.8\.8\.8\n/],
    ['', undefined, /nameserver 8\.8\.8\.8\n/],
  ];
  for (const [resolvConf, upstreamResolvConf, expected] of table) {
    const text = containerResolvConf({ resolvConf, upstreamResolvConf });
    if (typeof expected === 'string') t.is(text, expected);
    else t.regex(text, expected);
  }
});

const none = { extraHosts: [], resolver: { servers: [], search: [], options: [] } };

test('on the host’s network the files are the host’s', (t) => {
  const host = { hosts: '127.0.0.1 me\n', resolvConf: 'nameserver 127.0.0.53\n' };
  t.deepEqual(planNameFiles({ network: 'host', hostname: 'metal', ...none }, host), {
    hostname: 'metal\n',
    ...host,
  });
  const own = planNameFiles({ network: 'none', hostname: 'c', ...none }, host);
  t.is(own.hostname, 'c\n');
  t.is(own.hosts.split('\n')[0], '127.0.0.1\tlocalhost');
  t.is(own.hosts.trim().split('\n').length, 6);
});
