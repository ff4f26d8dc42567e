import test from 'ava';
import { hostPlatform, parsePlatform, platformText } from '../../src/intent/platform.js';
import { refused } from '../helpers/refused.js';

test('platforms have one spelling', (t) => {
  const spell = (text: string) => platformText(parsePlatform(text, 'x64'));
  t.is(spell('linux/amd64'), 'linux/amd64');
  t.is(spell('linux/x86_64'), 'linux/amd64');
  t.is(spell('Linux/aarch64'), 'linux/arm64/v8');
  t.is(spell('linux/arm64/v8'), 'linux/arm64/v8');
  t.is(spell('linux/arm'), 'linux/arm/v7');
  t.is(spell('linux/arm/v6'), 'linux/arm/v6');
  t.is(spell('arm64'), 'linux/arm64/v8');
  t.is(spell('linux'), 'linux/amd64');
  t.deepEqual(hostPlatform('arm64'), { os: 'linux', architecture: 'arm64' });
  refused(
    t,
    () => parsePlatform('a/b/c/d', 'x64'),
    '"a/b/c/d" is an invalid platform: use os/arch[/variant]',
  );
});
