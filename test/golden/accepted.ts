/** Where tsrun answers otherwise than Docker 20.10 on purpose: the title of the case, and why. At most one in ten. */
export const ACCEPTED: Record<string, string> = {};
