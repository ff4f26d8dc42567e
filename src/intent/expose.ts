/** `--expose PORT[-LAST][/PROTOCOL]`. */
import { flagError } from './usage.js';

const PROTOCOLS = ['tcp', 'udp', 'sctp'];
const MAX_PORT = 65535;

/** "80/tcp" for each port. */
export function parseExpose(text: string): string[] {
  if (text.includes(':')) throw flagError(`invalid port format for --expose: ${text}`, text);
  const refuse = (reason: string) =>
    flagError(`invalid range format for --expose: ${text}, error: ${reason}`, text);
  const [range = '', protocol = 'tcp'] = text.split('/');
  if (!PROTOCOLS.includes(protocol.toLowerCase())) throw refuse(`invalid proto: ${protocol}`);
  if (range === '') throw refuse('empty string specified for ports');
  const dash = range.indexOf('-');
  const first = port(dash < 0 ? range : range.slice(0, dash), refuse);
  const last = dash < 0 ? first : port(range.slice(dash + 1), refuse);
  if (last < first) throw refuse(`invalid range specified for port: ${range}`);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol.toLowerCase()}`);
}

function port(text: string, refuse: (reason: string) => Error): number {
  if (!/^\d+$/.test(text)) throw refuse(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  if (Number(text) > MAX_PORT) throw refuse(`strconv.ParseUint: parsing "${text}": value out of range`);
  return Number(text);
}
