-- Hands out a block of numbers; the same block number gets the same block.
--
-- KEYS: the count, this slot's last block. ARGV: block number, length, TTL in s.
-- Returns the block's last number and its length.

local block = redis.call('HMGET', KEYS[2], 'seq', 'last', 'length')
if block[1] ~= ARGV[1] then
  local last = redis.call('INCRBY', KEYS[1], ARGV[2])
  block = {ARGV[1], string.format('%.0f', last), ARGV[2]}
  redis.call('HSET', KEYS[2],
    'seq', block[1], 'last', block[2], 'length', block[3])
  redis.call('EXPIRE', KEYS[2], ARGV[3])
end
return {tonumber(block[2]), tonumber(block[3])}
