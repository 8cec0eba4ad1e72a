-- sessions: a page of a customer's live sessions, by user; only one user's when `user` is given.
-- keys: licenses sessions by_user
-- args: customer user offset size
-- answers: sessions {items total}
-- uses: view indexes licenses
local from, to = '-', '+'
if args.user then
  from, to = '[' .. args.user .. '\0', '(' .. args.user .. '\1'
end
local items = {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', by_user, from, to, 'LIMIT', args.offset, args.size)) do
  local session = tail(member)
  local packed = redis.call('HGET', sessions, session)
  if packed then
    local record = cmsgpack.unpack(packed)
    items[#items + 1] = {
      session = session, user = record.user, domain = record.domain, device = record.device, node = record.node,
      state = record.state, since_ms = record.since_ms, until_ms = record.until_ms, busy = record.busy or false, seats = shown(record.seats),
    }
  end
end
return answer('sessions', {items = items, total = redis.call('ZLEXCOUNT', by_user, from, to)})
