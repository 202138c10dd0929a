// A real personal data server, or the identity register (PLC) it needs, on loopback and nowhere else.
//
//   node start.cjs plc PORT
//   node start.cjs pds PORT PLC_URL DATA_FOLDER RATE_LIMITS(on|off)
//
// Prints one line of JSON when ready, {"ready": "http://localhost:PORT"}, and stops on SIGTERM or
// when its standard input closes, so that a test run that dies leaves no server behind.
'use strict'

const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')

// Both servers call listen(port), which means every interface. Nothing here may be reached from
// outside this machine, so every listen is forced to 127.0.0.1 before either server is loaded.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...given) {
  const done = given.find((one) => typeof one === 'function')
  const first = given[0]
  const port = typeof first === 'object' && first !== null ? first.port : first
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, done)
}

async function startPlc(port) {
  const { PlcServer, Database } = require('@did-plc/server')
  const plc = PlcServer.create({ db: Database.mock(), port })
  await plc.start()
  return plc
}

async function startPds(port, plcUrl, folder, rateLimits) {
  const { PDS, envToCfg, envToSecrets } = require('@atproto/pds')
  const blobs = path.join(folder, 'blobs')
  fs.mkdirSync(blobs, { recursive: true })
  const env = {
    devMode: true,
    port,
    hostname: 'localhost',
    dataDirectory: folder,
    blobstoreDiskLocation: blobs,
    didPlcUrl: plcUrl,
    serviceHandleDomains: ['.test'],
    inviteRequired: false,
    disableSsrfProtection: true,
    rateLimitsEnabled: rateLimits,
    // The server guards nothing but this folder's test accounts; these need only be well formed.
    adminPassword: 'only-for-tests',
    jwtSecret: 'only-for-tests-jwt',
    dpopSecret: '5e'.repeat(32),
    plcRotationKeyK256PrivateKeyHex: '7c'.repeat(32),
  }
  const pds = await PDS.create(envToCfg(env), envToSecrets(env))
  await pds.start()
  return pds
}

async function main() {
  const [role, port, plcUrl, folder, rateLimits] = process.argv.slice(2)
  const server =
    role === 'plc'
      ? await startPlc(Number(port))
      : await startPds(Number(port), plcUrl, folder, rateLimits === 'on')
  const stop = async () => {
    await server.destroy()
    process.exit(0)
  }
  process.once('SIGTERM', stop)
  process.stdin.once('end', stop)
  process.stdin.resume()
  process.stdout.write(JSON.stringify({ ready: `http://localhost:${port}` }) + '\n')
}

main().catch((fault) => {
  process.stderr.write(`${fault && fault.stack ? fault.stack : fault}\n`)
  process.exit(1)
})
