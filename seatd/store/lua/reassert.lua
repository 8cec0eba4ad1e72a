-- reassert: which of the sessions that this node holds are its own? One that was parked while the node's lease had lapsed, and
-- that nobody has resumed, is attached again; one that waits is in line again. While the partition recovers, what the node holds is the truth: a session that
-- the store has lost is put back with its seats, even above the limit, for somebody does use them.
-- keys: meta nodes by_node deadlines orders tombs seats sessions by_user queue
-- args: customer node held
-- answers: reasserted {lost restored} | lapsed {}
-- uses: guard indexes orders sessions
if lease_end(args.node) < now then
  return answer('lapsed')
end
local lost, restored = {}, {}

local function attach(session, record)
  redis.call('ZREM', deadlines, address(session))
  redis.call('ZADD', by_node, 0, args.node .. '\0' .. address(session))
  redis.call('ZADD', by_user, 0, record.user .. '\0' .. session)
  record.state = record.state == 'waiting' and 'waiting' or 'attached'
  record.node, record.until_ms = args.node, 0
  save(session, record)
end

local function restore(item, standing)
  if standing then
    unqueue(standing)
    detach(item.session, standing)
    free(item.session, standing, standing.seats)
  end
  for _, seat in ipairs(item.record.seats) do
    redis.call('ZADD', seats, 0, seat.license .. '\0' .. seat.holder)
  end
  item.record.fence = item.fence
  attach(item.session, item.record)
  restored[#restored + 1] = item.session
end

for _, item in ipairs(args.held) do
  local record = load(item.session)
  local newer = record and record.fence > item.fence
  local same = record and record.fence == item.fence and (record.node == args.node or (record.node == '' and record.state ~= 'draining'))
  if same and record.node == '' then
    attach(item.session, record)
  elseif recovering and item.record and not newer and not has(tombs, item.session) and not (record and record.waiting) then
    restore(item, record)
  elseif not same then
    lost[#lost + 1] = item.session
  end
end
wake()
return answer('reasserted', {lost = lost, restored = restored})
