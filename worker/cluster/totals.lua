-- Adds the gains of a writer to the totals of the cluster.
--
-- KEYS: the totals, the writer. ARGV: the writer's TTL in s, then field and
-- cumulative value, again and again. Returns the cluster's requests.
--
-- All fields come each time, changed or not: this repairs the sums of a Redis
-- that has lost its last writes.

local fields = {}
for i = 2, #ARGV, 2 do fields[#fields + 1] = ARGV[i] end
local stored = redis.call('HMGET', KEYS[2], unpack(fields))
for i, field in ipairs(fields) do
  local value = ARGV[2 * i + 1]
  local gain = tonumber(value) - tonumber(stored[i] or 0)
  if gain > 0 then
    redis.call('HINCRBY', KEYS[1], field,
      string.format('%.0f', gain))
    redis.call('HSET', KEYS[2], field, value)
  end
end
redis.call('EXPIRE', KEYS[2], ARGV[1])
return redis.call('HGET', KEYS[1], 'requests') or '0'
