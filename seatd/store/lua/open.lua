-- open: sign in. All of `need` or nothing; `want` as far as there is room. Replaying it changes nothing.
-- keys: meta nodes by_node deadlines orders tombs cooldowns customers former_customers licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer session secret user domain device node need want groups per_user unseated wait priority queue_limit
-- answers: granted {fence seats} | queued {session product ref position member ahead_ms} | denied {code product limit used waiting retry_after_ms holders} | gone {reason} | lapsed {}
-- uses: guard former indexes meters deliveries webhooks events orders sessions recount cooldowns licenses reservations devices seats queue hand_on many
if lease_end(args.node) < now then
  return answer('lapsed')
end
local record = load(args.session)
if record then
  if record.secret == args.secret and record.node == args.node and record.state == 'attached' then
    return answer('granted', {fence = record.fence, seats = shown(record.seats)})
  elseif record.secret == args.secret and record.node == args.node and record.state == 'waiting' and record.waiting then
    return answer('queued', places(args.session)[1])
  end
  return answer('gone', {reason = 'superseded'})
end
if has(tombs, args.session) then
  return answer('gone', {reason = 'ended'})
end

if is_former() then
  local asked = args.need[1] or args.want[1]
  return answer('denied', {code = 'suspended', product = asked and asked.product})
end

-- A device has one session: a newer hello of the same device replaces the older one.
local older, others = {}, 0
for _, own in ipairs(sessions_of(args.user)) do
  if own.record.device.id == args.device.id and own.record.state ~= 'draining' then
    older[#older + 1] = own
  else
    others = others + 1
  end
end

-- A client whose connection broke while it waited for the same finds its place again: the place, and what it lacked.
local function place_before(replaced)
  for _, own in ipairs(replaced) do
    local waiting = own.record.state == 'waiting' and own.record.waiting
    if waiting and waiting.priority == args.priority and same_products(waiting, args.need) then
      return number_of(waiting), waiting.product
    end
  end
end

local before, lacked = place_before(older)
local keeps_place = recovering and args.wait and before

if recovering and #args.need + #args.want > 0 and not keeps_place then
  return answer('denied', recovering_denial())
end

local cooling_ms = cooling_for(args.user, args.device)
if cooling_ms > 0 and not args.unseated then
  return answer('denied', refusal(args.session, args, args.need, {code = 'cooldown', retry_after_ms = cooling_ms}))
end

if others >= args.per_user then
  return answer('denied', refusal(args.session, args, args.need, {
    code = 'device_not_allowed', limit = args.per_user, used = others, holders = own_sessions(args.user),
  }))
end

record = {
  user = args.user, domain = args.domain, device = args.device, secret = args.secret, node = args.node,
  fence = 1, state = 'attached', since_ms = wall_ms, until_ms = 0, seats = {}, need = products_of(args.need),
  groups = #args.groups > 0 and args.groups or nil,
}
local asked = {need = args.need, want = args.want, priority = args.priority}
local chosen, denial = nil, {code = 'no_seat', product = lacked}
if not keeps_place then  -- while the partition recovers nobody is served, but a place is kept
  chosen, denial = plan_behind(args.session, record, asked)
end
local waits = not chosen and denial.code == 'no_seat' and args.wait
if not chosen and not (waits and (before or not queue_is_full(args.queue_limit))) then
  denial.code, denial.waiting = waits and 'queue_full' or denial.code, waiting_now()
  denial.holders = denial.code == 'no_seat' and own_sessions(args.user) or {}
  return answer('denied', refusal(args.session, args, args.need, denial, short_of[denial.product]))
end

if waits then
  asked.product, record.state = denial.product, 'waiting'
  enqueue(args.session, record, asked, before)
else
  take(chosen, args.session, record)
  record.seats = chosen
end
save(args.session, record)
redis.call('SADD', customers, args.customer)
redis.call('ZADD', by_user, 0, args.user .. '\0' .. args.session)
redis.call('ZADD', by_node, 0, args.node .. '\0' .. address(args.session))
for _, own in ipairs(older) do
  -- Nobody believes in it any more: a client says hello for a device only when it has let go of the older session.
  order(own.record.node, {type = 'superseded', session = own.session, fence = own.record.fence})
  drop(own.session, own.record, {})
end
hand_on()
record = load(args.session)
if record.waiting then
  return answer('queued', places(args.session)[1])
end
return answer('granted', {fence = 1, seats = shown(record.seats)})
