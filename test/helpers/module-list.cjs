'use strict';
// node -r: at the end, writes the names of Node's own modules that were loaded to the file in MODULE_LIST.
const { writeFileSync } = require('node:fs');

process.on('exit', () => {
  const names = process.moduleLoadList.filter((entry) => entry.startsWith('NativeModule '));
  writeFileSync(
    process.env.MODULE_LIST,
    names.map((entry) => entry.slice('NativeModule '.length)).join('\n'),
  );
});
