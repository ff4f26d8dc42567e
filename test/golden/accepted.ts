/** Where tsrun answers otherwise than Docker 20.10 on purpose: the title of the case, and why. At most one in ten. */
export const ACCEPTED: Record<string, string> = {
  'load of what is no archive':
    '20.10 passes on the words of the child that unpacks ("Error processing tar file(exit status 1)"); tsrun has no such child and says what is wrong with the archive',
};
