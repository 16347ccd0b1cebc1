-- The states of all breakers; writes nothing.
--
-- KEYS: the hashes of the breakers. ARGV: the names of the services. Returns a
-- text for each breaker, as in breakers.lua.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local texts = {}
for i, key in ipairs(KEYS) do
  local h = redis.call('HMGET', key,
    'state', 'epoch', 'failures', 'until')
  local state, failures = tonumber(h[1] or 0), tonumber(h[3] or 0)
  local left = math.max(0, tonumber(h[4] or 0) - now)
  if state == 0 and left == 0 then failures = 0 end
  if state == 0 and failures == 0 then left = 0 end
  texts[i] = string.format('%s %d %d %d %.0f',
    ARGV[i], state, tonumber(h[2] or 0), failures, left)
end
return texts
