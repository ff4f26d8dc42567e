import test from 'ava';
import type { Resolver } from '../../src/intent/resolver.js';
import { planNameFiles } from '../../src/plan/name-files.js';
import { containerResolvConf, planResolvConf } from '../../src/plan/resolv-conf.js';
import { refused } from '../helpers/refused.js';

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

test('resolv.conf: what the user gives replaces its part of the host’s', (t) => {
  const resolvConf = 'nameserver 127.0.0.1\nnameserver 10.0.0.1\noptions ndots:2\ndomain old\nsearch a b\n';
  const text = (wishes: Partial<Resolver>, network: 'none' | 'host' = 'none') =>
    planResolvConf(network, { ...none.resolver, ...wishes }, { resolvConf });
  const table: [Partial<Resolver>, string][] = [
    [{ servers: ['1.2.3.4'] }, 'search a b\nnameserver 1.2.3.4\noptions ndots:2\n'],
    [{ search: ['x.y', 'z'] }, 'search x.y z\nnameserver 10.0.0.1\noptions ndots:2\n'],
    [{ search: ['.'] }, 'nameserver 10.0.0.1\noptions ndots:2\n'],
    [{ options: ['ndots:5', 'rotate'] }, 'search a b\nnameserver 10.0.0.1\noptions ndots:5 rotate\n'],
  ];
  for (const [wishes, expected] of table) t.is(text(wishes), expected);
  t.is(
    text({ options: ['rotate'] }, 'host'),
    'search a b\nnameserver 127.0.0.1\nnameserver 10.0.0.1\noptions rotate\n',
  );
  t.is(text({}, 'host'), resolvConf);
});

test('extra hosts: below what stands there anyway', (t) => {
  const host = { hosts: '127.0.0.1 me', resolvConf: '' };
  const extraHosts = [
    { name: 'a', address: '1.2.3.4' },
    { name: 'gw', address: 'host-gateway' },
  ];
  const hosts = (network: 'host' | 'bridge' | 'none') =>
    planNameFiles({ network, hostname: 'h', ...none, extraHosts }, host).hosts;
  t.is(hosts('host'), '127.0.0.1 me\n1.2.3.4\ta\n127.0.0.1\tgw\n');
  // Only the helper knows the gateway of a bridge.
  t.true(hosts('bridge').endsWith('1.2.3.4\ta\nhost-gateway\tgw\n'));
  refused(t, () => hosts('none'), 'host-gateway for "gw": from the network none there is no way to the host');
});
