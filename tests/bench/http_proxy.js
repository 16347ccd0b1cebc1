// http_proxy PORT BACKEND: Node's cluster module, one worker, http-proxy.
'use strict'

const cluster = require('node:cluster')
const http = require('node:http')
const httpProxy = require('http-proxy')

const [port, backend] = process.argv.slice(2).map(Number)

function serve() {
  const proxy = httpProxy.createProxyServer({
    target: { host: '127.0.0.1', port: backend },
    agent: new http.Agent({ keepAlive: true, maxFreeSockets: 1024 }),
    xfwd: true
  })
  // The client's wish is not the backend's to grant: it would break the agent.
  proxy.on('proxyReq', (request) => request.setHeader('Connection', 'keep-alive'))
  proxy.on('error', (error, request, response) => {
    if (response.writeHead && !response.headersSent) response.writeHead(502)
    response.end()
  })
  const server = http.createServer((request, response) => {
    proxy.web(request, response)
  })
  server.on('upgrade', (request, socket, head) => {
    proxy.ws(request, socket, head)
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
