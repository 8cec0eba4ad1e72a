-- queue: who waits for seats, and who stands where.
-- keys: queue pace meta licenses (with sessions: nodes sessions)
-- One queue per customer, by priority and then by arrival. A waiter whose node has died keeps the place for its client to come
-- back to, and is passed over meanwhile.

-- Everybody who can be served, in order; read once in a call, and kept true by `enqueue` and `unqueue`.
local function in_line()
  if line then
    return line
  end
  line = {}
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

local ASK_MS = 60000

-- Those who hold the product learn that somebody waits, where the license says so; once in a minute at the most.
local function say_someone_waits(product, domain)
  for _, offer in ipairs(valid_offers(domain, {product = product}) or {}) do
    local record = license(offer.id)
    local may = record.kind == 'competitive' and record.policy and record.policy.notify_waiting
    if may and now >= (record.asked_ms or 0) + ASK_MS then
      record.asked_ms = now
      redis.call('HSET', licenses, offer.id, cmsgpack.pack(record))
      tell_holders(offer.id, {code = 'someone_waits', product = product})
    end
  end
end

-- `asked`: need, want, product, priority and ref. `number` is a place that the client had before.
local function enqueue(session, record, asked, number)
  if not number then
    say_someone_waits(asked.product, record.domain)
  end
  number = number or string.format('%016d', redis.call('HINCRBY', meta, 'queued', 1))
  asked.member = (9 - asked.priority) .. '\0' .. number .. '\0' .. session
  record.waiting = asked
  note('queued', {product = asked.product, domain = record.domain, user = record.user, session = session})
  redis.call('ZADD', queue, 0, asked.member)
  line, queue_moved = nil, true
end

local function number_of(waiting)
  return string.match(waiting.member, '^%d%z(%d+)%z')
end

local function same_products(waiting, need)
  local products = {}
  for _, want in ipairs(waiting.need) do
    products[want.product] = true
  end
  for _, want in ipairs(need) do
    if not products[want.product] then
      return false
    end
  end
  return #need == #waiting.need
end

-- How many wait; nil for none, which is not worth telling.
local function waiting_now()
  local waiting = redis.call('ZCARD', queue)
  return waiting > 0 and waiting or nil
end

local function queue_is_full(limit)
  return redis.call('ZCARD', queue) >= limit
end

-- How long a place in the queue takes, learned from those who were served before.
local function note_pace(product)
  local packed = redis.call('HGET', pace, product)
  local known = packed and cmsgpack.unpack(packed) or {}
  local gap_ms = known.last_ms and math.max(0, now - known.last_ms)
  local ewma_ms = gap_ms and (known.ewma_ms and 0.7 * known.ewma_ms + 0.3 * gap_ms or gap_ms)
  redis.call('HSET', pace, product, cmsgpack.pack({last_ms = now, ewma_ms = ewma_ms}))
end

-- Everybody's place, or only that of `session`: how many of those up to it want what it lacks.
local function places(session)
  local ahead, paces, list = {}, {}, {}
  for _, entry in ipairs(in_line()) do
    local waiting = entry.record.waiting
    if waiting then
      for _, want in ipairs(waiting.need) do
        ahead[want.product] = (ahead[want.product] or 0) + 1
      end
      local product, position = waiting.product, ahead[waiting.product]
      if not session or entry.session == session then
        if paces[product] == nil then
          local packed = redis.call('HGET', pace, product)
          paces[product] = packed and cmsgpack.unpack(packed).ewma_ms or false
        end
        list[#list + 1] = {
          session = entry.session, product = product, ref = waiting.ref, position = position, member = waiting.member,
          ahead_ms = paces[product] and math.ceil(paces[product] * position) or nil,
        }
      end
    end
  end
  return list
end

local function tell_waiters()
  if queue_moved and redis.call('ZCARD', queue) > 0 then
    redis.call('PUBLISH', 'seatd:queue', args.customer)
  end
end
