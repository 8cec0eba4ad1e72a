-- serve: hands on what has become free without anybody giving it back (a license has begun, a recovery window is over),
-- and tells who stands where in the queue.
-- keys: meta nodes by_node deadlines orders tombs licenses offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer
-- answers: queue {places recovering}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount licenses reservations devices seats queue hand_on
freed = true
hand_on()
return answer('queue', {places = places(), recovering = recovering})
