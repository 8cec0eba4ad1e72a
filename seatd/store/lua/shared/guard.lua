-- guard: is this still the server that wrote this partition?
-- keys: meta
-- `master_replid` changes with every restart, promotion and restored backup. A change means that acknowledged
-- writes may be lost, so the partition's epoch rises and its recovery window opens before anything else happens:
-- no grant can slip in between a failover and its detection. The same when the caller has seen a later epoch: then this is
-- a server that was replaced and does not know it yet.

local function clock_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local now = args.now_ms or clock_ms()

local function guard()
  local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  local stored = redis.call('HMGET', meta, 'replid', 'epoch', 'recover_until_ms')
  local epoch, recover_until_ms = tonumber(stored[2]) or 0, tonumber(stored[3]) or 0
  local known = args.epoch or 0
  if stored[1] ~= replid or epoch < known then
    local newborn = not stored[1] and known == 0
    epoch = math.max(epoch + 1, known + 1, now)
    recover_until_ms = newborn and 0 or now + args.recovery_ms
    if not stored[1] and not newborn then
      -- Everything is lost, so nobody knows which nodes there are: the window lasts its full time.
      redis.call('HSET', meta, 'whole_window', epoch)
    end
    -- A node deletes orders up to the last number it has carried out, so no number may come twice, even if the counter
    -- itself was lost: they begin anew above all that an earlier epoch can have used.
    local first = epoch * 1000
    redis.call(
      'HSET', meta, 'replid', replid, 'epoch', epoch, 'recover_until_ms', recover_until_ms, 'orders', first, 'queued', first
    )
  end
  return epoch, recover_until_ms
end

local epoch, recover_until_ms = guard()
local recovering = now < recover_until_ms

local function answer(word, body)
  return cmsgpack.pack({word, epoch, body or {}})
end
