-- guard: is this still the server that wrote this partition, and what time is it there?
-- keys: meta
-- `master_replid` changes with every restart, promotion and restored backup. A change means that acknowledged
-- writes may be lost, so the partition's epoch rises and its recovery window opens before anything else happens:
-- no grant can slip in between a failover and its detection.

local function clock_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The partition's own time. It never goes back, and of a time in which nobody beat it counts `jump_ms` at the most: then either
-- nobody could talk to the store, or its clock has jumped, and in neither case may leases and deadlines have run out.
-- `beat` writes down how far it has come.
local function ledger_ms(raw_ms, last_ms, offset_ms)
  if not last_ms then
    return raw_ms
  end
  return math.max(last_ms, math.min(raw_ms + offset_ms, last_ms + args.jump_ms))
end

-- A server that was promoted remembers whom it followed. If it has nothing, it has lost all that its primary had.
local function was_promoted(replication)
  local before = string.match(replication, 'master_replid2:(%x+)')
  return before ~= nil and string.find(before, '[^0]') ~= nil
end

local wall_ms = args.now_ms or clock_ms()

local function guard()
  local replication = redis.call('INFO', 'replication')
  local replid = string.match(replication, 'master_replid:(%x+)')
  local stored = redis.call(
    'HMGET', meta, 'replid', 'epoch', 'recover_until_ms', 'clock_ms', 'offset_ms', 'born', 'orders', 'queued'
  )
  local epoch, recover_until_ms = tonumber(stored[2]) or 0, tonumber(stored[3]) or 0
  local last_ms, offset_ms = tonumber(stored[4]), tonumber(stored[5]) or 0
  local now = args.now_ms or ledger_ms(wall_ms, last_ms, offset_ms)
  local known = args.epoch or 0
  -- The caller has seen a later epoch. A server that wrote this data itself was replaced and does not know it yet. One that did not
  -- may be another such server, or the true one after it has lost the later epoch: the caller makes sure, and then insists.
  local behind = epoch < known and (stored[1] == replid or not args.insist)
  -- Taken for newborn by one who knew no epoch; but the caller has seen an earlier one: there was data, and it is lost.
  local was_there = known > 0 and known < epoch and tonumber(stored[6]) == epoch
  if not behind and (stored[1] ~= replid or was_there) then
    local newborn = not stored[1] and known == 0 and not was_promoted(replication)
    -- Numbers begin at a thousand times the epoch (see below), and the clock may be behind what was counted since the last one.
    local counted = math.max(tonumber(stored[7]) or 0, tonumber(stored[8]) or 0)
    epoch = math.max(epoch + 1, known + 1, wall_ms, math.floor(counted / 1000) + 1)
    recover_until_ms = newborn and 0 or now + args.recovery_ms
    if newborn then
      redis.call('HSET', meta, 'born', epoch)
    elseif not stored[1] or was_there then
      -- Everything is lost, so nobody knows which nodes there are: the window lasts its full time.
      redis.call('HSET', meta, 'whole_window', epoch)
    end
    -- A node deletes orders up to the last number it has carried out, so no number may come twice, even if the counter
    -- itself was lost: they begin anew above all that an earlier epoch can have used.
    local first = epoch * 1000
    -- Until when, by its own time, a server that was replaced may have gone on (its time did not stand still).
    local old_until_ms = math.max(now, wall_ms + offset_ms) + args.old_primary_ms
    redis.call(
      'HSET', meta, 'replid', replid, 'epoch', epoch, 'recover_until_ms', recover_until_ms, 'orders', first, 'queued', first,
      'old_until_ms', old_until_ms
    )
  end
  return epoch, recover_until_ms, now, last_ms, behind
end

local epoch, recover_until_ms, now, last_ms, behind = guard()
local recovering = now < recover_until_ms

local function answer(word, body)
  return cmsgpack.pack({word, epoch, body or {}})
end

if behind then  -- any verb may answer this, so the headers do not name it; nothing was written
  local word = 'deposed'
  return answer(word)
end
