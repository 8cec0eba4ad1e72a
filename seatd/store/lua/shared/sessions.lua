-- sessions: the record of a session, and every index that leads to it.
-- keys: nodes by_node deadlines tombs seats sessions by_user queue (with orders: meta orders)
-- States whose seats count as used: `attached` (a node has its socket), `parked` (no socket, until a deadline),
-- `draining` (ended by order; counted until its client can no longer believe in it). `waiting`, in the queue for its first
-- seats, counts for nothing; it has a deadline while it has no node.

local function load(session)
  local packed = redis.call('HGET', sessions, session)
  return packed and cmsgpack.unpack(packed) or nil
end

local function save(session, record)
  redis.call('HSET', sessions, session, cmsgpack.pack(record))
end

local function sessions_of(user)
  local found = {}
  for _, member in ipairs(range(by_user, user)) do
    local session = tail(member)
    local record = load(session)
    if record then
      found[#found + 1] = {session = session, record = record}
    end
  end
  return found
end

local function address(session)
  return args.customer .. '\0' .. session
end

-- A node speaks for sessions only while its lease in this partition runs.
local function lease_end(node)
  return tonumber(redis.call('ZSCORE', nodes, node)) or 0
end

local function detach(session, record)
  if record.node ~= '' then
    redis.call('ZREM', by_node, record.node .. '\0' .. address(session))
  end
end

-- Of the queue (see queue.lua): those in line, whether places have changed, and whether somebody may be served now.
local line, queue_moved, freed = nil, false, false

-- What was promised to a waiter is free for those behind, and all places move.
local function unpromise()
  line, queue_moved, freed = nil, true, true
end

-- Takes a session out of the queue, if it waits there. The caller saves the record and hands on.
local function unqueue(record)
  if record.waiting then
    redis.call('ZREM', queue, record.waiting.member)
    record.waiting = nil
    unpromise()
  end
end

local function bury(session)
  redis.call('ZADD', tombs, now + args.tomb_ms, session)
end

-- A seat belongs to its holder (the user, by default): it is free when no other session of the user uses it.
local function free(session, record, given_back)
  local still = {}
  for _, other in ipairs(sessions_of(record.user)) do
    if other.session ~= session then
      for _, seat in ipairs(other.record.seats) do
        still[seat.license .. '\0' .. seat.holder] = true
      end
    end
  end
  for _, seat in ipairs(given_back) do
    local member = seat.license .. '\0' .. seat.holder
    if not still[member] then
      redis.call('ZREM', seats, member)
      freed = true
    end
  end
end

local function drop(session, record, outcome)
  unqueue(record)
  free(session, record, record.seats)
  detach(session, record)
  redis.call('HDEL', sessions, session)
  redis.call('ZREM', by_user, record.user .. '\0' .. session)
  redis.call('ZREM', deadlines, address(session))
  bury(session)
  if record.reply_to then
    order(record.reply_to, {
      type = 'receipt', session = session,
      delivered = outcome.delivered or false, acknowledged = outcome.acknowledged or false,
      closed = outcome.closed or false,
    })
  end
end

-- A session that has seats keeps them; one that waits for its first keeps its place.
local function park(session, record, until_ms)
  if record.state == 'attached' then
    unqueue(record)
    record.state = 'parked'
  elseif record.waiting then
    unpromise()
  end
  detach(session, record)
  record.node, record.until_ms = '', until_ms
  save(session, record)
  redis.call('ZADD', deadlines, until_ms, address(session))
end

-- A draining session whose node's lease is over: that node no longer answers for it. Once no session is left with the node,
-- its orders are forgotten, so from here on it must not take the session for its own (see reassert).
local function orphan(session, record)
  detach(session, record)
  record.node = ''
  save(session, record)
end

-- Ends a session by order. Nobody may have its seats before its client can no longer believe in them: the client says
-- so itself, or the node's right to speak for it (its lease) and then the client's own lease have run out.
local function drain(session, record, fields)
  if record.node ~= '' then
    record.until_ms = math.max(now, lease_end(record.node)) + args.client_lease_ms
  else
    record.until_ms = math.min(record.until_ms, now + args.client_lease_ms)
  end
  unqueue(record)
  record.state = 'draining'
  fields.session, fields.fence = session, record.fence
  local number = order(record.node, fields)
  record.untold = record.node ~= '' and number == 0 or nil  -- the store has lost the node: see reassert
  save(session, record)
  redis.call('ZADD', deadlines, record.until_ms, address(session))
  bury(session)
  return number
end
