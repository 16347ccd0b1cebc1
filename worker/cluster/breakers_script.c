#include "breakers_script.h"

#include "redis.h"

/*
 * One breaker's step, decided where everybody meets.
 *
 * KEYS: the breaker's hash, the channel.
 * ARGV: verb, service, known epoch, epoch of the outcome, probe's token,
 *       failures, window, open_for and lease in ms, who, reason.
 * Verbs: ask (for admission), fail, ok, release (the probe).
 * Returns: text, admitted (0, 1, 2: as the probe), the state before this
 * call's step or -1, reason.
 *
 * text is "SERVICE STATE EPOCH FAILURES LEFT_MS", also what is published.
 * An epoch that the caller knows and we do not shows that this Redis lost
 * writes: its state says nothing then, and it starts anew above that epoch.
 * Epochs are serial numbers of 16 bits without 0, as in breaker.h.
 */
struct redis_script breakers_script = {
    .name = "breakers",
    .body = "local verb, service = ARGV[1], ARGV[2]\n"
	    "local known, admitted_in = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
	    "local token, limit = ARGV[5], tonumber(ARGV[6])\n"
	    "local window, open_for = tonumber(ARGV[7]), tonumber(ARGV[8])\n"
	    "local lease, by, reason = tonumber(ARGV[9]), ARGV[10], ARGV[11]\n"
	    "local CLOSED, OPEN, HALF_OPEN, SERIALS = 0, 1, 2, 65536\n"
	    "local time = redis.call('TIME')\n"
	    "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	    "local h = redis.call('HMGET', KEYS[1],\n"
	    "  'state', 'epoch', 'failures', 'until', 'probe')\n"
	    "local state, epoch = tonumber(h[1] or 0), tonumber(h[2] or 0)\n"
	    "local failures, till = tonumber(h[3] or 0), tonumber(h[4] or 0)\n"
	    "local probe, from = h[5] or '', -1\n"
	    "if state == CLOSED and now >= till then failures = 0 end\n"

	    "local function text()\n"
	    "  local left = math.max(0, till - now)\n"
	    "  if state == CLOSED and failures == 0 then left = 0 end\n"
	    "  return string.format('%s %d %d %d %.0f',\n"
	    "    service, state, epoch, failures, left)\n"
	    "end\n"
	    "local function store()\n"
	    "  redis.call('HSET', KEYS[1], 'state', state, 'epoch', epoch,\n"
	    "    'failures', failures, 'until', string.format('%.0f', till),\n"
	    "    'probe', probe, 'by', by, 'reason', reason)\n"
	    "  redis.call('PEXPIRE', KEYS[1], 86400000)\n"
	    "end\n"
	    "local function publish()\n"
	    "  redis.call('PUBLISH', KEYS[2],\n"
	    "    text() .. ' ' .. by .. ': ' .. reason)\n"
	    "end\n"
	    "local function step(to, until_ms, holder)\n"
	    "  if from == -1 then from = state end\n"
	    "  epoch = (epoch + 1) % SERIALS\n"
	    "  if epoch == 0 then epoch = 1 end\n"
	    "  state, till, probe = to, until_ms, holder\n"
	    "  if to == CLOSED then failures = 0 end\n"
	    "  store() publish()\n"
	    "end\n"

	    "if known ~= 0 and known ~= epoch and (epoch == 0 or\n"
	    "    (known - epoch) % SERIALS < SERIALS / 2) then\n"
	    "  epoch = known\n"
	    "  step(CLOSED, 0, '')\n"
	    "  if admitted_in == known then admitted_in = epoch end\n"
	    "  if verb ~= 'fail' then reason = 'redis had lost its state' end\n"
	    "end\n"
	    "local current = admitted_in == 0 or admitted_in == epoch\n"
	    "local is_probe = state == HALF_OPEN and current and\n"
	    "  token ~= '' and token == probe\n"
	    "local admitted = 0\n"

	    "if verb == 'ask' then\n"
	    "  if state == CLOSED then admitted = 1\n"
	    "  elseif now >= till then\n"
	    "    step(HALF_OPEN, now + lease, token)\n"
	    "    admitted = 2\n"
	    "  end\n"
	    "elseif verb == 'release' then\n"
	    "  if is_probe then step(HALF_OPEN, now, '') end\n"
	    "elseif verb == 'ok' then\n"
	    "  if is_probe then step(CLOSED, 0, '')\n"
	    "  elseif state == CLOSED and current and failures > 0 then\n"
	    "    failures = 0\n"
	    "    store()\n"
	    "  end\n"
	    "elseif is_probe then step(OPEN, now + open_for, '')\n"
	    "elseif state == CLOSED and current then\n"
	    "  failures = failures + 1\n"
	    "  if failures == 1 then till = now + window end\n"
	    "  if failures >= limit then step(OPEN, now + open_for, '')\n"
	    "  else\n"
	    "    store()\n"
	    /* So that a success elsewhere knows that it matters. */
	    "    if failures == 1 then publish() end\n"
	    "  end\n"
	    "end\n"
	    "return {text(), admitted, from, reason}\n",
};

/*
 * All breakers at one look; writes nothing.
 *
 * KEYS: the hashes. ARGV: their services' names. Returns a text for each.
 */
struct redis_script breakers_peek_script = {
    .name = "breakers_peek",
    .body =
	"local time = redis.call('TIME')\n"
	"local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	"local texts = {}\n"
	"for i, key in ipairs(KEYS) do\n"
	"  local h = redis.call('HMGET', key,\n"
	"    'state', 'epoch', 'failures', 'until')\n"
	"  local state, failures = tonumber(h[1] or 0), tonumber(h[3] or 0)\n"
	"  local left = math.max(0, tonumber(h[4] or 0) - now)\n"
	"  if state == 0 and left == 0 then failures = 0 end\n"
	"  if state == 0 and failures == 0 then left = 0 end\n"
	"  texts[i] = string.format('%s %d %d %d %.0f',\n"
	"    ARGV[i], state, tonumber(h[2] or 0), failures, left)\n"
	"end\n"
	"return texts\n",
};
