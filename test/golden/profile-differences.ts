/** Where a container of tsrun is otherwise than one of Docker 20.10 with runc 1.1.5, and why that is right. */
import type { Difference } from './profile.js';

export const PROFILE_DIFFERENCES: readonly Difference[] = [];
