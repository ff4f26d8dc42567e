import test from 'ava';
import { isolated } from '../helpers/isolated.js';

const scenarios = new URL('./network-scenarios.ts', import.meta.url);

function scenario(title: string, name: string): void {
  test.serial(title, async (t) => {
    await isolated(scenarios, name);
    t.pass();
  });
}

scenario(
  'a container reaches out and is reached by host and bridge, but not by a neighbour; lost rules come back',
  'reach',
);
scenario(
  'containers of two stores started at once and killed monitors: no address twice, nothing left',
  'manyAndKilled',
);
scenario('recovery of a dead container leaves its address to the one that has it now', 'staleLease');
scenario('the subnet overlaps no address and no route', 'subnetAvoidsRoutes');
scenario('without nftables the error names the package, and bridge and lease are gone', 'withoutNft');
scenario('what nft says is in the error', 'badRules');
scenario('the hosts file is rewritten in place', 'hostsFile');
