-- One breaker's step, decided by Redis for the whole cluster.
--
-- KEYS: the breaker's hash, the channel.
-- ARGV: verb, service, known epoch, epoch of the outcome, probe's token,
--       failures, window, open_for and lease in ms, who, reason.
-- Verbs: ask (for admission), fail, ok, release (the probe).
-- Returns: text, admitted (0, 1, 2: as the probe), the state before this
-- call's step or -1, reason.
--
-- text is "SERVICE STATE EPOCH FAILURES LEFT_MS", and is published as well.
-- A known epoch newer than the stored epoch shows that Redis has lost writes.
-- The stored state is void then, and the breaker starts anew above the known
-- epoch. Epochs are serial numbers of 16 bits without 0, as in breaker.h.

local verb, service = ARGV[1], ARGV[2]
local known, admitted_in = tonumber(ARGV[3]), tonumber(ARGV[4])
local token, limit = ARGV[5], tonumber(ARGV[6])
local window, open_for = tonumber(ARGV[7]), tonumber(ARGV[8])
local lease, by, reason = tonumber(ARGV[9]), ARGV[10], ARGV[11]
local CLOSED, OPEN, HALF_OPEN, SERIALS = 0, 1, 2, 65536
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local h = redis.call('HMGET', KEYS[1],
  'state', 'epoch', 'failures', 'until', 'probe')
local state, epoch = tonumber(h[1] or 0), tonumber(h[2] or 0)
local failures, till = tonumber(h[3] or 0), tonumber(h[4] or 0)
local probe, from = h[5] or '', -1
if state == CLOSED and now >= till then failures = 0 end

local function text()
  local left = math.max(0, till - now)
  if state == CLOSED and failures == 0 then left = 0 end
  return string.format('%s %d %d %d %.0f',
    service, state, epoch, failures, left)
end
local function store()
  redis.call('HSET', KEYS[1], 'state', state, 'epoch', epoch,
    'failures', failures, 'until', string.format('%.0f', till),
    'probe', probe, 'by', by, 'reason', reason)
  redis.call('PEXPIRE', KEYS[1], 86400000)
end
local function publish()
  redis.call('PUBLISH', KEYS[2],
    text() .. ' ' .. by .. ': ' .. reason)
end
local function step(to, until_ms, holder)
  if from == -1 then from = state end
  epoch = (epoch + 1) % SERIALS
  if epoch == 0 then epoch = 1 end
  state, till, probe = to, until_ms, holder
  if to == CLOSED then failures = 0 end
  store() publish()
end

if known ~= 0 and known ~= epoch and (epoch == 0 or
    (known - epoch) % SERIALS < SERIALS / 2) then
  epoch = known
  step(CLOSED, 0, '')
  if admitted_in == known then admitted_in = epoch end
  if verb ~= 'fail' then reason = 'redis had lost its state' end
end
local current = admitted_in == 0 or admitted_in == epoch
local is_probe = state == HALF_OPEN and current and
  token ~= '' and token == probe
local admitted = 0

if verb == 'ask' then
  if state == CLOSED then admitted = 1
  elseif now >= till then
    step(HALF_OPEN, now + lease, token)
    admitted = 2
  end
elseif verb == 'release' then
  if is_probe then step(HALF_OPEN, now, '') end
elseif verb == 'ok' then
  if is_probe then step(CLOSED, 0, '')
  elseif state == CLOSED and current and failures > 0 then
    failures = 0
    store()
  end
elseif is_probe then step(OPEN, now + open_for, '')
elseif state == CLOSED and current then
  failures = failures + 1
  if failures == 1 then till = now + window end
  if failures >= limit then step(OPEN, now + open_for, '')
  else
    store()
    -- A success elsewhere is sent only while failures are known.
    if failures == 1 then publish() end
  end
end
return {text(), admitted, from, reason}
