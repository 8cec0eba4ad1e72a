-- reassert: which of the sessions that this node holds are its own? One that was parked while the node's lease had lapsed, and
-- that nobody has resumed, is attached again, and one that waits is in line again. While the partition recovers, what the node
-- holds is the truth: a session that the store has lost is put back with its seats, even above the limit, for somebody does use
-- them; and so is one whose socket the node has lost (`left_ms` is what is left of its linger), and a place in the queue. One
-- that a forced logout of this recovery means is forced out then.
-- keys: meta nodes by_node deadlines orders tombs cooldowns kicks customers expiries seats sessions by_user queue events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer node held
-- answers: reasserted {lost restored} | lapsed {}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount kicks
if lease_end(args.node) < now then
  return answer('lapsed')
end
local lost, restored = {}, {}

local function attach(session, record)
  redis.call('ZADD', by_node, 0, args.node .. '\0' .. address(session))
  record.node, record.until_ms = args.node, 0
  if record.state == 'parked' then
    record.state = 'attached'
  end
  save(session, record)
  watch(session, record)
end

-- The node does not know on which reservation a seat was drawn; if anything of that is left, it stands in the user's sessions.
local function keep_reserved(record)
  for _, own in ipairs(sessions_of(record.user)) do
    for _, known in ipairs(counted(own.record)) do
      for _, seat in ipairs(record.seats) do
        if known.license == seat.license and known.holder == seat.holder then
          seat.reserved = seat.reserved or known.reserved
        end
      end
    end
  end
end

-- Seats that the session is losing, whether its node has read of it yet or not: until its client knows, they count.
local function keep_losing(record, standing)
  local kept, lost = {}, {}
  for _, seat in ipairs(standing.losing and standing.losing.seats or {}) do
    lost[seat.license .. '\0' .. seat.holder .. '\0' .. seat.since_ms] = true
  end
  for _, seat in ipairs(record.seats) do
    if not lost[seat.license .. '\0' .. seat.holder .. '\0' .. seat.since_ms] then
      kept[#kept + 1] = seat
    end
  end
  record.seats, record.losing = kept, standing.losing
end

local function restore(item, standing)
  local session, record = item.session, item.record
  keep_reserved(record)
  if standing then
    unqueue(standing)
    detach(session, standing)
    free(session, standing, counted(standing))
    keep_losing(record, standing)
  end
  for _, seat in ipairs(counted(record)) do
    if redis.call('ZADD', seats, 0, seat.license .. '\0' .. seat.holder) == 1 then
      note_seat('restored', seat, session, record)
    end
    redis.call('ZADD', expiries, wall_ms, address(seat.license))  -- it may have ended, and its review be over
    if seat.reserved then
      redis.call('ZADD', seats, 0, seat.license .. '\1' .. seat.reserved .. '\0' .. seat.holder)
    end
  end
  if record.waiting then
    redis.call('ZADD', queue, 0, record.waiting.member)
  end
  record.state, record.fence = record.waiting and not record.waiting.ref and 'waiting' or 'attached', item.fence
  redis.call('SADD', customers, args.customer)
  redis.call('ZADD', by_user, 0, record.user .. '\0' .. session)
  if item.left_ms then
    record.node = args.node  -- in the index, whatever the record says
    park(session, record, now + item.left_ms)
  else
    attach(session, record)
  end
  restored[#restored + 1] = session
  local kick = kick_for(session, record)
  if kick then
    force_out(session, record, kick)
  end
end

-- Its turn has come, and the order that says so is on its way to the node.
local function is_served(item, record)
  local asked, products = item.record.waiting, {}
  if not asked or record.waiting then
    return false
  end
  for _, seat in ipairs(record.seats) do
    products[seat.product] = true
  end
  for _, want in ipairs(asked.need) do
    if not products[want.product] then
      return false
    end
  end
  return true
end

-- The audit only names sessions: what the store has lost it is told in full when the node re-asserts.
local function may_be_forgotten(item, record)
  return recovering and not item.record and not (record and record.fence >= item.fence) and not has(tombs, item.session)
end

for _, item in ipairs(args.held) do
  local session, has_socket = item.session, not item.left_ms
  local record = load(session)
  local newer = record and record.fence > item.fence
  local own = record and record.fence == item.fence and (record.node == args.node or record.node == '')
  local idle = own and record.node == ''
  if idle and record.state ~= 'draining' then
    if has_socket then
      attach(session, record)
    end
  elseif recovering and item.record and not newer and not has(tombs, session) and not (own and is_served(item, record)) then
    restore(item, record)
  elseif has_socket and (not own or idle or record.untold) and not may_be_forgotten(item, record) then
    lost[#lost + 1] = session
  end
end
wake()
return answer('reasserted', {lost = lost, restored = restored})
