/** All the cases, in the order in which they run. */
import type { GoldenCase } from './case.js';
import { CONTAINERS } from './containers.js';
import { COPY } from './copy.js';
import { EXITS } from './exits.js';
import { FORMATS } from './formats.js';
import { IMAGE_VERBS } from './image-verbs.js';
import { IMAGES } from './images.js';
import { LIFECYCLE } from './lifecycle.js';
import { REFUSALS } from './refusals.js';
import { RUN } from './run.js';
import { SECURITY } from './security.js';
import { UPDATE } from './update.js';
import { USAGE } from './usage.js';
import { VOLUMES } from './volumes.js';

export const GOLDEN_CASES: readonly GoldenCase[] = [
  ...EXITS,
  ...RUN,
  ...USAGE,
  ...CONTAINERS,
  ...COPY,
  ...UPDATE,
  ...FORMATS,
  ...IMAGES,
  ...IMAGE_VERBS,
  ...LIFECYCLE,
  ...VOLUMES,
  ...REFUSALS,
  ...SECURITY,
];
