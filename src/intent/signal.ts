/** Signal names and numbers, as `kill -s`, `--stop-signal` and STOPSIGNAL take them. */
import { usage } from './usage.js';

const NAMES =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG ' +
  'XCPU XFSZ VTALRM PROF WINCH IO PWR SYS';
const NUMBERS = new Map(NAMES.split(' ').map((name, index) => [name, index + 1]));
const ALIASES: Record<string, number> = { IOT: 6, CLD: 17, POLL: 29, UNUSED: 31 };

/** First and last real-time signal that glibc leaves to programs. */
const RTMIN = 34;
const RTMAX = 64;

/** TERM, SIGTERM, sigterm, 15, RTMIN+3, RTMAX-2 -> number 1..64. */
export function parseSignal(text: string): number {
  const signal = numberOf(text.toUpperCase().replace(/^SIG/, ''), text);
  if (signal === undefined || signal < 1 || signal > RTMAX) throw usage(`Invalid signal: ${text}`, text);
  return signal;
}

function numberOf(name: string, text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const known = NUMBERS.get(name) ?? ALIASES[name];
  if (known !== undefined) return known;
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (!realTime) return undefined;
  const [, base, sign, offset = '0'] = realTime;
  if (sign && (base === 'MIN') !== (sign === '+')) return undefined;
  const signal = base === 'MIN' ? RTMIN + Number(offset) : RTMAX - Number(offset);
  return signal >= RTMIN && signal <= RTMAX ? signal : undefined;
}
