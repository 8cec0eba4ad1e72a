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

-- How many sessions were read user by user: what bounds a call that many users concern (see holding).
local looked_at = 0

local function sessions_of(user, most)
  local found = {}
  for _, member in ipairs(range(by_user, user)) do
    if #found == most then
      break
    end
    local session = tail(member)
    local record = load(session)
    if record then
      looked_at = looked_at + 1
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

-- The next moment at which somebody must look after a session: its own deadline, or that of seats it is losing.
local function watch(session, record)
  local at = record.until_ms > 0 and record.until_ms or nil
  if record.losing then
    at = math.min(at or record.losing.until_ms, record.losing.until_ms)
  end
  if at then
    redis.call('ZADD', deadlines, at, address(session))
  else
    redis.call('ZREM', deadlines, address(session))
  end
end

-- All that counts: what a session holds, and what it is losing while its client may still believe in it.
local function counted(record)
  local list = {}
  for _, seat in ipairs(record.seats) do
    list[#list + 1] = seat
  end
  for _, seat in ipairs(record.losing and record.losing.seats or {}) do
    list[#list + 1] = seat
  end
  return list
end

local function bury(session)
  redis.call('ZADD', tombs, now + args.tomb_ms, session)
end

-- A seat belongs to its holder (the user, by default): it is free when no other session of the user uses it.
local function free(session, record, given_back)
  local still = {}
  for _, other in ipairs(sessions_of(record.user)) do
    if other.session ~= session then
      for _, seat in ipairs(counted(other.record)) do
        still[seat.license .. '\0' .. seat.holder] = true
      end
    end
  end
  for _, seat in ipairs(given_back) do
    local member = seat.license .. '\0' .. seat.holder
    if not still[member] then
      if redis.call('ZREM', seats, member) == 1 then
        note_seat('freed', seat, session, record)
      end
      if seat.reserved then
        redis.call('ZREM', seats, seat.license .. '\1' .. seat.reserved .. '\0' .. seat.holder)
      end
      freed = true
    end
  end
end

-- Nobody can believe any more in the seats that a session was losing.
local function let_go(session, record)
  local kept, gone, losing = {}, {}, record.losing
  for _, seat in ipairs(record.seats) do
    kept[seat.license .. '\0' .. seat.holder] = true
  end
  for _, seat in ipairs(losing and losing.seats or {}) do
    if not kept[seat.license .. '\0' .. seat.holder] then
      gone[#gone + 1] = seat
    end
  end
  record.losing = nil
  free(session, record, gone)
  save(session, record)
  watch(session, record)
end

local function drop(session, record, outcome)
  unqueue(record)
  free(session, record, counted(record))
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

-- A node that wakes takes a parked session for its own again (see reassert), and may never have read that a seat is lost. So such a
-- session is no longer its own: the client resumes, and the welcome says what it has.
local function disown(record)
  if record.losing then
    record.fence = record.fence + 1
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
  watch(session, record)
end

-- A draining session whose node's lease is over: that node no longer answers for it. Once no session is left with the node,
-- its orders are forgotten, so from here on it must not take the session for its own (see reassert).
local function orphan(session, record)
  detach(session, record)
  record.node = ''
  save(session, record)
end

-- Until when a client may believe in what it was told: it says itself that it no longer does, or the node's right to speak
-- for it (its lease) and then the client's own lease have run out.
local function believed_until_ms(record)
  if record.node ~= '' then
    return math.max(now, lease_end(record.node)) + args.client_lease_ms
  end
  return math.min(record.until_ms, now + args.client_lease_ms)
end

-- Ends a session by order. Nobody may have its seats before its client can no longer believe in them.
local function drain(session, record, fields)
  record.until_ms = believed_until_ms(record)
  unqueue(record)
  record.state = 'draining'
  fields.session, fields.fence = session, record.fence
  if fields.type == 'logout' then
    note('logout', {
      domain = record.domain, user = record.user, session = session, code = fields.code, by = fields.by, reason = fields.message,
      product = fields.product,
    })
  end
  local number = order(record.node, fields)
  record.untold = record.node ~= '' and number == 0 or nil  -- the store has lost the node: see reassert
  save(session, record)
  watch(session, record)
  bury(session)
  return number
end
