// Jest loads modules itself, so it needs the step that Node does by itself for .ts files; the same function does it.
const { stripTypeScriptTypes } = require('node:module')

module.exports = { process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }) }
