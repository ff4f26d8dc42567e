/** Now, RFC 3339 in UTC with nine digits: as fine as Node's clocks are, so that what is made in one millisecond has an order. */
export function timestamp(): string {
  const wall = Date.now();
  // The fine clock does not follow corrections of the system's clock: it only refines it.
  const fine = performance.timeOrigin + performance.now();
  const time = Math.abs(fine - wall) < 5 ? fine : wall;
  const whole = Math.floor(time);
  const micros = Math.floor((time - whole) * 1000);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}000Z`;
}
