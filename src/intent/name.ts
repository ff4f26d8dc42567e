/** Container names: the user's are checked, the others are made. */
import { usage } from './usage.js';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** A leading slash is accepted, as `inspect` shows one. */
export function parseContainerName(text: string): string {
  const name = text.startsWith('/') ? text.slice(1) : text;
  if (NAME.test(name)) return name;
  throw usage(`Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`, text);
}

const ADJECTIVES =
  'able amber brave breezy bright brisk calm candid careful cheerful clear clever cosy crisp curious daring deft ' +
  'eager earnest fair fancy fearless fleet frank gentle glad golden graceful happy hardy honest humble jolly keen ' +
  'kind lively loyal lucid mellow merry mild modest neat nimble noble patient placid polite proud quick quiet ready ' +
  'serene sharp silent sincere smart snug solid steady sunny swift tidy upbeat valiant vivid warm wise witty zesty';

const SURNAMES =
  'abel ampere avogadro babbage bassi bernoulli bohr boole bose carson cauchy cavendish celsius clarke copernicus ' +
  'coulomb curie dalton darwin diesel dirac edison einstein erdos euclid euler faraday fermat fermi feynman fibonacci ' +
  'fourier franklin galilei gauss germain godel goodall hamilton hawking heaviside henry hertz hilbert hopper hubble ' +
  'huygens joule kelvin kepler kovalevskaya lagrange laplace leibniz linnaeus lovelace maxwell meitner mendel ' +
  'mendeleev newton noether ohm pascal pasteur planck ramanujan riemann shannon tesla turing volta watt wu';

const adjectives = ADJECTIVES.split(' ');
const surnames = SURNAMES.split(' ');

/**
 * `adjective_surname`. `random` gives numbers in [0, 1). `attempt` counts earlier proposals that were taken: from the
 * first retry on a digit is appended.
 */
export function randomName(random: () => number, attempt = 0): string {
  const pick = (words: string[]) => words[Math.floor(random() * words.length)] ?? '';
  const suffix = attempt > 0 ? String(Math.floor(random() * 10)) : '';
  return `${pick(adjectives)}_${pick(surnames)}${suffix}`;
}
