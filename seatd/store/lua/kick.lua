-- kick: force sessions out by user, session, license, domain or customer; at most `limit` sessions looked at in one call, and the
-- rest of one holder's. `cursor` goes on.
-- Sets the cool-down, drains the sessions and writes the orders for their nodes in one go. While the partition recovers it is
-- kept, for the sessions that nodes have yet to tell of (see reassert). Where nobody was meant nothing is done, and nothing is audited.
-- keys: meta nodes by_node deadlines orders tombs cooldowns kicks licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters audit
-- args: customer user target_session license target_domain everyone after limit code message by cooldown_ms reply_to order_type audit
-- answers: kicked {sessions cursor} | stale {}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount holding kicks licenses reservations devices seats queue hand_on audit
if is_stale(audit) then
  return answer('stale')
end
local matched, cursor = {}, nil

local function match(session, record)
  if record.state ~= 'draining' then
    matched[#matched + 1] = {session = session, record = record}
  end
end

local function match_license(id)
  local seen = {}
  return visit_holders(id, args.after, function(holder)
    local user = user_of(holder)
    for _, own in ipairs(seen[user] and {} or sessions_of_holder(holder)) do
      if holds(own.record, id) then
        match(own.session, own.record)
      end
    end
    seen[user] = true
  end)
end

-- Of these members of `by_user` those of the domain, or all.
local function match_users(members, domain)
  for _, member in ipairs(members) do
    local session = tail(member)
    local record = load(session)
    if record and (not domain or record.domain == domain) then
      match(session, record)
    end
  end
  return #members == args.limit and members[#members] or nil
end

local function everybody()
  return redis.call('ZRANGEBYLEX', by_user, args.after and '(' .. args.after or '-', '+', 'LIMIT', 0, args.limit)
end

if args.target_session then
  local record = load(args.target_session)
  if record and (not args.user or record.user == args.user) then
    match(args.target_session, record)
  end
elseif args.user then
  cursor = match_users(range(by_user, args.user, args.limit, args.after))
elseif args.license then
  cursor = match_license(args.license)
elseif args.target_domain then
  cursor = match_users(everybody(), args.target_domain)
elseif args.everyone then
  cursor = match_users(everybody())
end

local how = {
  type = args.order_type, code = args.code, message = args.message, by = args.by, cool_until_ms = now + args.cooldown_ms,
  user = args.user, session = args.target_session, license = args.license, domain = args.target_domain,
  everyone = args.everyone,
}
local cools = args.user and not args.target_session
local lasts = recovering and args.order_type == 'logout'
if cools then
  cool(args.user, nil, how.cool_until_ms)
end
if lasts then
  redis.call('ZADD', kicks, 0, args.customer .. '\0' .. cmsgpack.pack(how))
end
local kicked = {}
for i, own in ipairs(matched) do
  local record, node = own.record, own.record.node
  record.reply_to = args.reply_to
  local number = force_out(own.session, record, how)
  kicked[i] = {
    session = own.session, fence = record.fence, user = record.user, device = record.device, node = node, order = number,
  }
end
if #matched > 0 or cursor or cools or lasts then
  note_change(audit)
end
hand_on()
return answer('kicked', {sessions = kicked, cursor = cursor})
