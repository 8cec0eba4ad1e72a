-- deliveries: what waits to be sent to webhooks. Each is a record under its id, and stands in its webhook's line by the time at which it is
-- to be sent next; when somebody must look at a webhook's line next is known to the whole partition.
-- keys: deliveries delivery_times delivery_bodies dead_letters (with indexes)
-- A record: id, webhook, type, seq, event, due_ms, tries, and as they apply slot, claim, error. All by the calendar (`wall_ms`).

local LETTERS_KEPT = '1000'

local function place_of(record)
  return record.webhook .. '\0' .. string.format('%016d', record.due_ms) .. '\0' .. record.id
end

local function look_at_line(webhook)
  local soonest = range(delivery_times, webhook, 1)[1]
  local member = args.customer .. '\0' .. webhook
  if soonest then
    redis.call('ZADD', deliveries, tonumber(string.match(soonest, '%z(%d+)%z')), member)
  else
    redis.call('ZREM', deliveries, member)
  end
end

local function take_from_line(record)
  if record.due_ms then
    redis.call('ZREM', delivery_times, place_of(record))
  end
end

local function put_delivery(record, due_ms)
  take_from_line(record)
  record.due_ms = due_ms
  redis.call('ZADD', delivery_times, 0, place_of(record))
  redis.call('HSET', delivery_bodies, record.id, cmsgpack.pack(record))
end

-- From now on nothing is added to it.
local function seal(record)
  if record.slot then
    redis.call('HDEL', delivery_bodies, record.slot)
    record.slot = nil
  end
end

local function remove_delivery(record)
  seal(record)
  take_from_line(record)
  redis.call('HDEL', delivery_bodies, record.id)
end

local function give_up(record, why)
  record.due_ms, record.claim, record.slot, record.error = nil, nil, nil, why
  redis.call('XADD', dead_letters, 'MAXLEN', LETTERS_KEPT, '*', 'd', cmsgpack.pack(record))
end
