-- attach: resume a session on this node. The fence grows, so whatever the old node still does is refused. A session that the
-- store has lost is put back by what its client's ticket says (`claim`), while the partition recovers: see *tickets*.
-- keys: meta nodes by_node deadlines orders tombs cooldowns kicks customers expiries licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session secret user node claim
-- answers: granted {fence device seats need busy losing} | gone {reason} | lapsed {} | recovering {}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount cooldowns kicks licenses reservations devices seats queue hand_on many
if lease_end(args.node) < now then
  return answer('lapsed')
end

-- Whether the client could rightly believe in its seats when the old server took its last writes.
local function was_valid_then(claim)
  local since_ms = recover_until_ms - args.recovery_ms
  -- After a total loss the partition's time has begun anew from the server's clock.
  local anew = tonumber(redis.call('HGET', meta, 'whole_window')) == epoch
  return claim.until_ms + (anew and claim.behind_ms or 0) >= since_ms - args.old_primary_ms
end

local record, claimed = load(args.session), nil
if not record and recovering and not has(tombs, args.session) then
  if not args.claim or not was_valid_then(args.claim) then
    return answer('recovering')  -- the store may have lost it, and its node not told of it yet: the client tries again
  end
  record, claimed = args.claim.record, args.claim.fence
  record.node, record.state, record.fence = '', 'parked', claimed
  -- Who is refused was forced out, and the ticket is older than that.
  if cooling_for(record.user, record.device) > 0 or kick_for(args.session, record) then
    return answer('gone', {reason = 'ended'})
  end
end
if not record or record.state == 'draining' or record.state == 'waiting' then
  return answer('gone', {reason = has(tombs, args.session) and 'ended' or 'unknown'})
end
if record.secret ~= args.secret or record.user ~= args.user then
  return answer('gone', {reason = 'unknown'})
end

-- A server that was replaced may have ended it at its deadline, and its seat be somebody else's: the end of the window tells.
if recovering and not claimed and record.state == 'parked'
  and record.until_ms < tonumber(redis.call('HGET', meta, 'old_until_ms') or 0) then
  return answer('recovering')
end

if claimed then
  take(record.seats, args.session, record, 'restored')
  for _, seat in ipairs(record.seats) do
    redis.call('ZADD', expiries, wall_ms, address(seat.license))  -- it may have ended, and its review be over
  end
  redis.call('SADD', customers, args.customer)
  redis.call('ZADD', by_user, 0, record.user .. '\0' .. args.session)
end
local from, fence = record.node, record.fence
unqueue(record)
detach(args.session, record)
record.state, record.node, record.until_ms, record.claimed = 'attached', args.node, 0, claimed
-- Resumes that the store has lost had fences too, and their nodes still believe in them: this one is later than all of those.
record.fence = fence + (recovering and 1000 or 1)
save(args.session, record)
watch(args.session, record)
redis.call('ZADD', by_node, 0, args.node .. '\0' .. address(args.session))
if from ~= args.node then
  order(from, {type = 'superseded', session = args.session, fence = fence})
end
hand_on()
return answer('granted', {
  fence = record.fence, device = record.device, seats = shown(record.seats), need = record.need, busy = record.busy,
  losing = record.losing and record.losing.order,
})
