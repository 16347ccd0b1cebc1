// undici_proxy PORT BACKEND: Node's cluster module, one worker, undici's pool.
'use strict'

const cluster = require('node:cluster')
const http = require('node:http')
const { Pool } = require('undici')

const [port, backend] = process.argv.slice(2).map(Number)
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'upgrade', 'expect',
  'transfer-encoding', 'te', 'trailer', 'proxy-connection'])

function forwarded(request) {
  const headers = {}
  for (const name in request.headers) {
    if (!HOP_BY_HOP.has(name)) headers[name] = request.headers[name]
  }
  headers['x-forwarded-for'] = request.socket.remoteAddress
  return headers
}

function hasBody(request) {
  return request.headers['content-length'] !== undefined ||
    request.headers['transfer-encoding'] !== undefined
}

function answer({ statusCode, headers, opaque: response }) {
  delete headers.connection
  delete headers['keep-alive']
  response.writeHead(statusCode, headers)
  return response
}

function serve() {
  const pool = new Pool(`http://127.0.0.1:${backend}`, { connections: 256 })
  const server = http.createServer((request, response) => {
    pool.stream({
      path: request.url,
      method: request.method,
      headers: forwarded(request),
      body: hasBody(request) ? request : null,
      opaque: response
    }, answer, (error) => {
      if (!error) return
      if (!response.headersSent) response.writeHead(502)
      response.end()
    })
  })
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => socket.destroy())
    const headers = forwarded(request)
    pool.upgrade({ path: request.url, headers, protocol: 'websocket' },
      (error, upgraded) => {
        if (error) return socket.destroy()
        const lines = Object.entries(upgraded.headers)
          .map(([name, value]) => `${name}: ${value}\r\n`)
        socket.write('HTTP/1.1 101 Switching Protocols\r\n' +
          `${lines.join('')}\r\n`)
        upgraded.socket.on('error', () => socket.destroy())
        socket.pipe(upgraded.socket).pipe(socket)
      })
  })
  server.keepAliveTimeout = 75000
  server.listen(port, '127.0.0.1', 4096)
}

if (cluster.isPrimary) {
  cluster.fork()
  cluster.on('exit', () => process.exit(1))
} else {
  serve()
}
