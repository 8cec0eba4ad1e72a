-- webhooks: an event becomes a delivery for each webhook that wants it, in the script that writes the event down. Denials of the same
-- product for the same reason become one, with a number, as long as it has not been sent: a storm at the counter is none at the receiver.
-- keys: webhooks delivery_times delivery_bodies (with deliveries: deliveries dead_letters)

local deliver

do

local TOLD = {denied = 'denial', logout = 'forced_logout', expiring = 'license_expiring', limit_reached = 'limit_reached'}
local GATHER_MS, WAITING_KEPT = 5000, 10000
local FULL = 'too many deliveries are waiting'
local hooks

-- Asked once a script, and only when there is something to tell.
local function switched_on()
  if not hooks then
    hooks = {}
    local all = redis.call('HGETALL', webhooks)
    for i = 2, #all, 2 do
      local hook = cjson.decode(all[i])
      hooks[#hooks + 1] = hook.enabled and hook or nil
    end
  end
  return hooks
end

local function wants(hook, kind, item)
  for _, own in ipairs(hook.types) do
    if own == kind then
      return (hook.product == '' or hook.product == item.product) and (hook.license == '' or hook.license == item.license)
    end
  end
  return false
end

-- Adds a denial to another; what the two do not have in common is left out.
local function add(event, item)
  event.times = (event.times or 1) + (item.times or 1)
  for _, name in ipairs({'license', 'domain', 'user', 'session'}) do
    event[name] = event[name] == item[name] and event[name] or nil
  end
end

local function gathered(slot, item)
  local id = redis.call('HGET', delivery_bodies, slot)
  local packed = id and redis.call('HGET', delivery_bodies, id)
  if not packed then
    return false
  end
  local record = cmsgpack.unpack(packed)
  add(record.event, item)
  redis.call('HSET', delivery_bodies, record.id, cmsgpack.pack(record))
  return true
end

local function line_up(hook, record)
  if count(delivery_times, hook.id) >= WAITING_KEPT then
    if record.slot then
      return give_up_together(record, FULL, add)
    end
    return give_up(record, FULL)
  end
  if record.slot then
    redis.call('HSET', delivery_bodies, record.slot, record.id)
  end
  put_delivery(record, record.slot and wall_ms + GATHER_MS or wall_ms)
  look_at_line(hook.id)
end

function deliver(seq, item)
  local kind = TOLD[item.type]
  for _, hook in ipairs(kind and switched_on() or {}) do
    if wants(hook, kind, item) then
      local slot = kind == 'denial' and 'open\0' .. hook.id .. '\0' .. (item.product or '') .. '\0' .. item.code or nil
      if not (slot and gathered(slot, item)) then
        line_up(hook, {id = hook.id .. '.' .. seq, webhook = hook.id, type = kind, seq = seq, event = item, tries = 0, slot = slot})
      end
    end
  end
end

end
