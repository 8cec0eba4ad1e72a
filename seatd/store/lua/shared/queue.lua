-- queue: who waits for seats, and how a freed seat is handed on.
-- keys: queue pace nodes (with sessions, seats and orders)
-- One queue per customer, by priority and then by arrival. The rule: a waiter who cannot be served yet keeps hold of what is
-- already free for him; it is promised to him, and neither those behind him nor a newcomer may have it. So a request for
-- several products is all or nothing and still never starves: who is first only ever gets nearer.

local function in_line()
  local line = {}
  for _, member in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
    local session = tail(tail(member))
    local record = load(session)
    if not record or not record.waiting or record.waiting.member ~= member then
      redis.call('ZREM', queue, member)
    elseif lease_end(record.node) >= now then
      line[#line + 1] = {session = session, record = record}
    end
  end
  return line
end

local function promise(entry)
  local record = entry.record
  for _, want in ipairs(record.waiting.need) do
    local seat = choose(want, record.user, record.domain)
    if seat and not has(seats, seat.license .. '\0' .. seat.holder) then
      promised[seat.license] = (promised[seat.license] or 0) + 1
    end
  end
end

-- Before a newcomer of this priority is served: what is promised to those ahead of him.
local function promise_ahead(session, priority)
  for _, entry in ipairs(redis.call('ZCARD', queue) > 0 and in_line() or {}) do
    if entry.record.waiting.priority >= priority and entry.session ~= session then
      promise(entry)
    end
  end
end

-- How long a place in the queue takes, learned from those who were served before.
local function note_pace(product)
  local packed = redis.call('HGET', pace, product)
  local known = packed and cmsgpack.unpack(packed) or {}
  local gap_ms = known.last_ms and now - known.last_ms
  local ewma_ms = gap_ms and (known.ewma_ms and 0.7 * known.ewma_ms + 0.3 * gap_ms or gap_ms)
  redis.call('HSET', pace, product, cmsgpack.pack({last_ms = now, ewma_ms = ewma_ms}))
end

local function serve(entry, chosen)
  local record, waiting = entry.record, entry.record.waiting
  take(chosen)
  for _, seat in ipairs(chosen) do
    record.seats[#record.seats + 1] = seat
  end
  record.state, record.waiting = 'attached', nil
  save(entry.session, record)
  redis.call('ZREM', queue, waiting.member)
  note_pace(waiting.product)
  order(record.node, {
    type = 'granted', session = entry.session, fence = record.fence, ref = waiting.ref, seats = shown(record.seats),
  })
  queue_moved = true
end

-- Why a waiter can no longer be served at all (his license has ended, say): he is told, and waits no longer.
local function turn_away(entry, denial)
  local record, waiting = entry.record, entry.record.waiting
  order(record.node, {
    type = 'refused', session = entry.session, fence = record.fence, ref = waiting.ref,
    code = denial.code, product = denial.product,
  })
  unqueue(record)
  save(entry.session, record)
end

-- Serves everybody who can be served, first come first served. Called by every verb that frees a seat or a place.
local function settle()
  if recovering or redis.call('ZCARD', queue) == 0 then
    return
  end
  promised = {}
  for _, entry in ipairs(in_line()) do
    local record = entry.record
    local chosen, denial = plan(record.seats, record.user, record.domain, record.waiting.need, record.waiting.want)
    if chosen then
      serve(entry, chosen)
    elseif denial.code == 'no_seat' then
      promise(entry)
    else
      turn_away(entry, denial)
    end
  end
end

local function places()
  local ahead, list = {}, {}
  for i, entry in ipairs(in_line()) do
    local waiting = entry.record.waiting
    for _, want in ipairs(waiting.need) do
      ahead[want.product] = (ahead[want.product] or 0) + 1
    end
    local packed = redis.call('HGET', pace, waiting.product)
    local ewma_ms = packed and cmsgpack.unpack(packed).ewma_ms
    local position = ahead[waiting.product]
    list[i] = {
      session = entry.session, node = entry.record.node, product = waiting.product, ref = waiting.ref,
      position = position, ahead_ms = ewma_ms and math.ceil(ewma_ms * position) or nil,
    }
  end
  return list
end

local function place_of(session)
  for _, place in ipairs(places()) do
    if place.session == session then
      return place
    end
  end
end

local function enqueue(session, record, denial)
  local number = redis.call('HINCRBY', meta, 'queued', 1)
  local member = (9 - args.priority) .. '\0' .. string.format('%016d', number) .. '\0' .. session
  record.waiting = {
    member = member, need = args.need, want = args.want or {}, product = denial.product, priority = args.priority,
    ref = args.ref,
  }
  redis.call('ZADD', queue, 0, member)
end

local function queue_is_full()
  return redis.call('ZCARD', queue) >= args.queue_limit
end

local function tell_waiters()
  if queue_moved and redis.call('ZCARD', queue) > 0 then
    redis.call('PUBLISH', 'seatd:queue', args.customer)
  end
end
